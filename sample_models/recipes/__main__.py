"""Makes the sample models, audits them through the command line, and writes what was found.

    python -m sample_models.recipes make      every net there are data for
    python -m sample_models.recipes audit     `lipcert analyze` on every net of the zoo
    python -m sample_models.recipes tables    sample_models/README.md and its plots, from the audits

Seeds are fixed; on another CPU or torch release the weights may differ in their last bits, and the accuracies by a
sample or two. MNIST nets need MNIST images, as .npz or IDX files.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sample_models.recipes import auditing
from sample_models.recipes.data import MNIST_TEST, Split, digits, load
from sample_models.recipes.making import save_random_labels
from sample_models.recipes.results import write_results
from sample_models.recipes.workshop import make_all, read_facts
from sample_models.recipes.zoo import RECIPES, SEEDS, key_of, seeds

HOME = Path(__file__).resolve().parent.parent


def main(argv: Sequence[str] | None = None) -> None:
    """Read the command line and do what was asked for."""
    parser = argparse.ArgumentParser(
        prog="sample_models.recipes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="make | audit | tables")
    _add_make(commands.add_parser("make", help="train and write nets"))
    audit = commands.add_parser("audit", help="run lipcert on the zoo")
    audit.add_argument("--output", type=Path, default=HOME, help="folder the nets are in")
    audit.add_argument("--only", action="append", metavar="NAME", help="this recipe only; may be repeated")
    audit.add_argument("--again", action="store_true", help="also where there is a report already")
    audit.add_argument("--jobs", type=int, default=2, help="analyses at a time  [2]")
    _add_mnist(audit)
    audit.set_defaults(act=_audit)
    tables = commands.add_parser("tables", help="write README.md and plots from the audits")
    tables.add_argument("--output", type=Path, default=HOME, help="folder the nets are in")
    tables.set_defaults(act=lambda given: write_results(given.output))
    arguments = parser.parse_args(argv)
    arguments.act(arguments)


def _add_make(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=HOME, help="folder to write to")
    parser.add_argument("--only", choices=RECIPES, action="append", metavar="NAME", help="this recipe; may be repeated")
    parser.add_argument("--seed", type=int, action="append", choices=SEEDS, help="this seed; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="nets at a time  [2]")
    parser.add_argument("--missing", action="store_true", help="only what has no facts yet")
    _add_mnist(parser)
    parser.set_defaults(act=_make)


def _add_mnist(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mnist-train", type=Path, help=".npz or IDX with MNIST training images")
    parser.add_argument("--mnist-test", type=Path, help=".npz or IDX with the MNIST test images in order")


def _splits(arguments: argparse.Namespace) -> dict[str, tuple[Split, Split]]:
    splits = {"digits": digits(0)}
    if arguments.mnist_train and arguments.mnist_test:
        splits["mnist"] = load(arguments.mnist_train), load(arguments.mnist_test).first(MNIST_TEST)
    return splits


def _make(arguments: argparse.Namespace) -> None:
    splits, home = _splits(arguments), arguments.output
    splits["digits"][0].save(home / "digits_train.npz")
    for name, (_, test) in splits.items():
        test.save(home / f"{name}_test.npz")
    for seed in SEEDS:
        save_random_labels(splits["digits"][0], seed, home)
    facts = {folder: read_facts(home / folder / "facts.json") for folder in {one.folder for one in RECIPES.values()}}
    wanted = [
        (name, seed)
        for seed in arguments.seed or SEEDS
        for name in arguments.only or RECIPES
        if seed in seeds(name) and RECIPES[name].data in splits
        if not (arguments.missing and key_of(name, seed) in facts[RECIPES[name].folder])
    ]
    make_all(wanted, splits, home, arguments.jobs)


def _audit(arguments: argparse.Namespace) -> None:
    train, test = arguments.mnist_train, arguments.mnist_test
    mnist = (train, test) if train and test else None
    auditing.audit(arguments.output, arguments.only, again=arguments.again, jobs=arguments.jobs, mnist=mnist)


if __name__ == "__main__":
    main()
