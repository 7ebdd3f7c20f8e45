"""Is a word of brackets balanced? A GRU reads words of different lengths, which two worker processes load and pad."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

LONGEST = 12


def balanced(word):
    depth = 0
    for bracket in word:
        depth += 1 if bracket == "(" else -1
        if depth < 0:
            return False
    return depth == 0


class Brackets(Dataset):
    """Words of 2 to 12 brackets, int64, and whether they are balanced."""

    def __init__(self, count):
        lengths = 2 * torch.randint(1, LONGEST // 2 + 1, (count,))
        self.words = ["".join("()"[bit] for bit in torch.randint(2, (n,)).tolist()) for n in lengths.tolist()]
        # Few random words are balanced, so half of them are made so: bracket after bracket, closed at random.
        for i in range(0, count, 2):
            self.words[i] = self.closed(lengths[i].item())

    @staticmethod
    def closed(length):
        word = ""
        for left in range(length, 0, -1):
            depth = 2 * word.count("(") - len(word)
            word += "(" if depth == 0 or (depth < left and torch.rand(1).item() < 0.5) else ")"
        return word

    def __len__(self):
        return len(self.words)

    def __getitem__(self, index):
        word = self.words[index]
        return torch.tensor(["()".index(bracket) for bracket in word]), torch.tensor(float(balanced(word)))


def padded(samples):
    """Words as (LONGEST, batch), their lengths and labels."""
    words, labels = zip(*samples, strict=True)
    rows = torch.stack([F.pad(word, (0, LONGEST - len(word))) for word in words], dim=1)
    return rows, torch.tensor([len(word) for word in words]), torch.stack(labels)


class Reader(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.embedding = nn.Embedding(2, 8)
        self.rnn = nn.GRU(8, hidden, num_layers=2, dropout=0.1)
        self.head = nn.Linear(hidden, 1)

    def forward(self, words, lengths):
        outputs, _ = self.rnn(self.embedding(words))
        last = outputs[lengths - 1, torch.arange(len(lengths))]
        return self.head(last).squeeze(-1)


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        hits = [((model(words, lengths) > 0) == (labels > 0)).float().mean() for words, lengths, labels in loader]
    return torch.stack(hits).mean().item()


def main():
    torch.manual_seed(0)
    train, test = random_split(Brackets(640), [512, 128])
    options = {"batch_size": 64, "collate_fn": padded, "num_workers": 2, "persistent_workers": True}
    batches, held_out = DataLoader(train, shuffle=True, **options), DataLoader(test, **options)
    model = Reader()
    print(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loss_of = nn.BCEWithLogitsLoss()
    for epoch in range(6):
        model.train()
        total = 0.0
        for words, lengths, labels in batches:
            optimizer.zero_grad()
            loss = loss_of(model(words, lengths), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch}: loss {total / len(batches):.3f}")
    print(f"accuracy on words not seen: {accuracy(model, held_out):.3f}")


if __name__ == "__main__":
    main()
