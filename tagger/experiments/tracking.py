"""Results -> a store of MLflow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from tagger.errors import ExperimentError, MissingExtraError
from tagger.experiments.results import Results


def check_tracking() -> None:
    """Refuse to begin what can't be logged at the end.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # else importing it reports to its makers
    try:
        import mlflow  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("mlflow", "mlflow") from error


def log_results(name: str, results: Results, store: str) -> str:
    """Log settings and figures as a run of the experiment of this name, and return the run's id.

    Raises
    ------
    ExperimentError
        The store can't be written.
    """
    check_tracking()
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(store)
        found = client.get_experiment_by_name(name)
        run = client.create_run(
            found.experiment_id if found else client.create_experiment(name), run_name=results.settings["title"] or name
        )
        try:
            _log(client, run.info.run_id, results)
        except BaseException:
            with suppress(MlflowException):  # what went wrong first is what to tell
                client.set_terminated(run.info.run_id, "FAILED")
            raise
        client.set_terminated(run.info.run_id)
    except MlflowException as error:
        raise ExperimentError(f"--mlflow-store {store}: {error}") from error
    return str(run.info.run_id)


def _log(client: Any, run: str, results: Results) -> None:
    for key, value in _flat(results.settings):
        client.log_param(run, key, value[:6000])
    for key, value in {**results.versions, "code": results.code, "codebook": results.codebook}.items():
        client.set_tag(run, key, value)
    for key, number in _figures(results).items():
        client.log_metric(run, key, number)


def _flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Settings by their place."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        elif value not in (None, ""):
            yield f"{before}{key}", str(value)


def _figures(results: Results) -> dict[str, float]:
    figures = results.figures
    low, high = figures["macro_interval"]
    found = {"macro_f1": figures["macro_f1"], "macro_f1_low": low, "macro_f1_high": high, "seconds": results.seconds}
    for theme in figures["themes"]:
        found |= {f"{name}.{theme['theme']}": theme[name] for name in ("f1", "precision", "recall", "average_precision")}
    return {name: float(value) for name, value in found.items() if value is not None}
