"""A training step of dynamic prompting as its authors' public code takes it, in torch: what the product's step is timed against.

    reference_step.py --batch B --sequence S --prompt L [--pool M] [--threads N]

BERT in its base size, random weights. Position, length and pool mixture are chosen by instance (Yang et al. 2023, arXiv
2303.02909). One step for every line `step` on standard input, answered by its milliseconds; `memory` answers the peak in
megabytes.
"""
import argparse

import torch
from torch import nn
from torch.nn import functional

from base_models import BASE, answer, build, inputs_of

# Published as -1e20. In BERT the normalisation of the embeddings overflows on that: the loss is NaN.
DROPPED = -1e4
WIDTH = BASE['WIDTH']


class Networks(nn.Module):
    """What is trained: a pool of prompts and one linear layer for each choice."""

    def __init__(self, slots, pool):
        super().__init__()
        self.pool = nn.Parameter(torch.randn(pool, slots, WIDTH) * 0.02)
        self.position = nn.Linear(WIDTH, slots + 1)
        self.length = nn.Linear(WIDTH, slots + 1)
        self.mixture = nn.Linear(WIDTH, pool)


def choose(logits):
    """One-hot [B, C], straight through."""
    return functional.gumbel_softmax(functional.relu(logits), tau=1.0, hard=True)


def shorten(prompts, length):
    """Overwrites the tokens behind the chosen length; they stay attended. prompts [B, l, d], length [B, l+1]."""
    gates = length.flip(1).cumsum(1).flip(1)[:, 1:, None]
    return prompts * gates + DROPPED * (1 - gates)


def assemble(prompts, tokens, position):
    """Every candidate of every example, weighted by its one-hot. prompts [B, l, d], tokens [B, n, d], position [B, l+1]."""
    rows = []
    for prompt, own, weights in zip(prompts, tokens, position):
        candidates = [torch.cat((prompt[j:], own, prompt[:j])) for j in range(len(weights))]
        rows.append((torch.stack(candidates) * weights[:, None, None]).sum(0))
    return torch.stack(rows)


class Reference:
    """A frozen model, its networks, and one step of both."""

    def __init__(self, batch, sequence, slots, pool):
        self.model = build('bert')
        self.networks = Networks(slots, pool)
        self.optimiser = torch.optim.AdamW(self.networks.parameters(), lr=1e-3)
        self.plain = inputs_of('bert', batch, sequence)
        self.prompted = inputs_of('bert', batch, sequence + slots)
        self.labels = torch.zeros(batch, dtype=torch.long)
        self.replacement, self.hidden = None, None
        self.model.embeddings.word.register_forward_hook(self.replace)
        self.model.layer[-1].register_forward_hook(self.remember)

    def replace(self, module, arguments, output):
        return output if self.replacement is None else self.replacement

    def remember(self, module, arguments, output):
        self.hidden = output

    def features(self):
        """[B, d] mean over all positions of the last hidden state; the model is run again in every step."""
        self.replacement = None
        with torch.no_grad():
            self.model(*self.plain.values())
        return self.hidden.mean(1)

    def step(self):
        features = self.features()
        networks = self.networks
        mixture = torch.softmax(networks.mixture(features), -1)
        prompts = torch.einsum('bm,mld->bld', mixture, networks.pool)
        prompts = shorten(prompts, choose(networks.length(features)))
        tokens = self.model.embeddings.word(self.plain['input_ids'])
        self.replacement = assemble(prompts, tokens, choose(networks.position(features)))
        loss = functional.cross_entropy(self.model(*self.prompted.values()), self.labels)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return loss

    def check(self):
        """Takes one step. Arithmetic on values that are not finite can take another time."""
        loss = self.step()
        for name, parameter in self.networks.named_parameters():
            if not (torch.isfinite(loss) and torch.isfinite(parameter.grad).all()):
                raise SystemExit(f'reference_step.py: the loss or the gradient of {name} is not finite; raise DROPPED')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (('batch', 8), ('sequence', 128), ('prompt', 20), ('pool', 4), ('threads', 2)):
        parser.add_argument('--' + name, type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    reference = Reference(options.batch, options.sequence, options.prompt, options.pool)
    reference.check()
    answer({'step': reference.step})


if __name__ == '__main__':
    main()
