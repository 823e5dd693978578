"""A training by the SDK's template: a toy model, headless, run as the program of a task on an instance."""

from __future__ import annotations

import os
import sys
import traceback

import supervisely as sly
from supervisely.nn.training.train_app import TrainApp
from supervisely.nn.utils import ModelSource

FRAMEWORK = "Toy"
MODELS = [
    {
        "Model": "toy-s",
        "Parameters (M)": "0.1",
        "meta": {"task_type": "object detection", "model_name": "toy-s", "model_files": {}},
    }
]
HYPERPARAMETERS = "epochs: 2\n"


def main(folder: str) -> None:
    """Train in a folder; the state of the GUI says everything that a user would click."""
    train = TrainApp(FRAMEWORK, MODELS, HYPERPARAMETERS, {"model_benchmark": True}, work_dir=folder)
    train.register_inference_class(type("ToyInference", (), {}))

    @train.start
    def fit() -> dict[str, object]:
        os.makedirs(os.path.join(train.output_dir, "weights"), exist_ok=True)
        for epoch in range(train.hyperparameters["epochs"]):
            with open(os.path.join(train.output_dir, "weights", f"epoch_{epoch}.pth"), "w") as file:
                file.write(f"weights of {len(train.classes)} classes after epoch {epoch}")
        return {
            "model_name": train.model_name,
            "task_type": "object detection",
            "model_files": {},
            "checkpoints": os.path.join(train.output_dir, "weights"),
            "best_checkpoint": "epoch_1.pth",
        }

    train.gui.load_from_app_state(
        {
            "input": {"project_id": sly.env.project_id()},
            "train_val_split": {"method": "random", "split": "train", "percent": 60},
            "classes": ["lemon"],
            "model": {"source": ModelSource.PRETRAINED, "model_name": "toy-s"},
            "hyperparameters": HYPERPARAMETERS,
            "options": {"model_benchmark": {"enable": False, "speed_test": False}, "cache_project": False},
            "experiment_name": "Toy experiment",
        }
    )
    train._wrapped_start_training()


if __name__ == "__main__":
    status = 1
    try:
        main(sys.argv[1])
        status = 0
    except Exception:
        traceback.print_exc()
    finally:  # the template leaves threads behind that would keep the process
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
