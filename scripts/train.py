"""Trains the model of triage and writes it with its report. The same messages give the same bytes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # sums in another order differ in the last digit; read when numpy is imported

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import train_corpus  # noqa: E402
import train_figures  # noqa: E402
import train_fit  # noqa: E402
import train_report  # noqa: E402

from router import model  # noqa: E402


def main() -> int:
    """Exit codes: 0 trained, 2 a line that cannot be used (nothing is written)."""
    asked = _arguments()
    try:
        examples = train_corpus.read_corpus(asked.corpus)
        corrections = train_corpus.read_corrections(asked.with_corrections) if asked.with_corrections else []
    except train_corpus.BadLines as error:
        print(error, file=sys.stderr)
        return 2
    examples += corrections
    found = train_fit.all_features(examples)
    unseen = train_fit.unseen_logits(examples, found)
    plain = train_fit.fit(examples, found)
    trained = train_fit.calibrated(plain, examples, unseen)
    model.write(trained, asked.model)
    version = model.load(asked.model).version
    got = train_figures.figures(examples, train_fit.chances(trained, plain, unseen))
    page = train_report.page(version, train_corpus.digest(asked.corpus), got, corrections=len(corrections))
    _write(asked.report, page, got)
    print(f"{version}: {len(examples)} messages, macro-F1 on unseen writers {got.macro_f1:.3f}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    data = ROOT / "router" / "data"
    parser.add_argument(
        "--with-corrections", type=Path, metavar="FILE", help="JSON lines {text, subject?, category, …}"
    )
    parser.add_argument("--corpus", type=Path, default=data / "corpus", metavar="FOLDER")
    parser.add_argument("--model", type=Path, default=data / "model.npz", metavar="FILE")
    parser.add_argument("--report", type=Path, default=ROOT / "docs", metavar="FOLDER")
    return parser.parse_args()


def _write(folder: Path, page: str, got: train_figures.Figures) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "training.md").write_text(page, "utf-8")
    (folder / "training-confusion.svg").write_text(train_report.confusion_picture(got.confusion), "utf-8")
    (folder / "training-calibration.svg").write_text(train_report.calibration_picture(got.bins), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
