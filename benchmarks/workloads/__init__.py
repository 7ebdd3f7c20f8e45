"""The workloads: each is one training step, written for PyTorch's API and once more for plain JAX."""

from __future__ import annotations

from benchmarks.workloads import chain, char_rnn, cnn, mlp, polynomial
from benchmarks.workloads.contract import Workload

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (*polynomial.WORKLOADS, *mlp.WORKLOADS, *chain.WORKLOADS, *cnn.WORKLOADS, *char_rnn.WORKLOADS)
}
