"""A character model: a recurrent cell of plain Linear layers, in a loop over letters, learns a few lines of verse."""

import torch
import torch.nn.functional as F
from torch import nn

VERSES = (
    "the wind is up, the kite is high",
    "a paper bird in open sky",
    "it pulls the string, it wants to fly",
    "and so, it says, and so do i",
)
END = "\n"
ALPHABET = END + "".join(sorted(set("".join(VERSES))))
INDEX = {letter: position for position, letter in enumerate(ALPHABET)}


class Cell(nn.Module):
    """One step of an Elman network: embeds a letter, updates the hidden state, scores the next letter."""

    def __init__(self, letters, hidden):
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(letters, 16)
        self.from_input = nn.Linear(16, hidden)
        self.from_state = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, letters)

    def forward(self, letter, state):
        state = torch.tanh(self.from_input(self.embedding(letter)) + self.from_state(state))
        return self.score(state), state


def encode(text):
    return torch.tensor([INDEX[letter] for letter in text])


def verse_loss(cell, verse):
    """Mean cross entropy of each next letter, the end of the line included."""
    letters = encode(END + verse + END)
    state = torch.zeros(1, cell.hidden)
    loss = torch.zeros(())
    for position in range(len(letters) - 1):
        scores, state = cell(letters[position : position + 1], state)
        loss = loss + F.cross_entropy(scores, letters[position + 1 : position + 2])
    return loss / (len(letters) - 1)


@torch.no_grad()
def continue_verse(cell, start, limit=60):
    """The most likely continuation of ``start``, letter by letter."""
    state, text = torch.zeros(1, cell.hidden), start
    for letter in encode(END + start[:-1]):
        _, state = cell(letter.view(1), state)
    while len(text) < limit:
        scores, state = cell(encode(text[-1]), state)
        following = ALPHABET[scores.argmax().item()]
        if following == END:
            break
        text += following
    return text


def main():
    torch.manual_seed(0)
    cell = Cell(len(ALPHABET), hidden=64)
    optimizer = torch.optim.Adam(cell.parameters(), lr=5e-3)
    for epoch in range(60):
        losses = []
        for verse in VERSES:
            loss = verse_loss(cell, verse)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 20 == 19:
            print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.2f}")

    recalled = 0
    for verse in VERSES:
        text = continue_verse(cell, verse[:5])
        recalled += text == verse
        print(text)
    print(f"lines recalled: {recalled} of {len(VERSES)}")


if __name__ == "__main__":
    main()
