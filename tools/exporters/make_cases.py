"""Writes the cases: /usr/bin/python3 tools/exporters/make_cases.py [--only NAME] OUTPUT"""
import argparse
import importlib
import os

import torch

from case import write_case

FAMILIES = ['bert', 'deberta', 'modernbert', 'gpt', 'merged', 'llama', 't5', 'bart', 'vit', 'swin', 'clip']


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', metavar='NAME', help='cases whose names start so; several with commas')
    parser.add_argument('output', help='folder that gets a folder for every case')
    options = parser.parse_args()
    torch.set_num_threads(1)
    for family in FAMILIES:
        for case in importlib.import_module(family).CASES:
            if options.only and not any(case.name.startswith(name) for name in options.only.split(',')):
                continue
            folder = os.path.join(options.output, case.name)
            write_case(case, folder)
            print(f'{case.name}: {sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)):,} bytes')


if __name__ == '__main__':
    main()
