"""What the page is handed for a model: its HTML, its texts and its numbers."""

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from latent_navigator.app.controls import page_controls
from latent_navigator.app.model_card import describe_model, describe_training, training_command
from latent_navigator.app.models import REVISION, LoadedModel, Models
from latent_navigator.data.dataset_info import with_article
from latent_navigator.data.image_reader import MAX_BYTES
from latent_navigator.data.strokes import PAD, PEN
from latent_navigator.explorer.class_colours import class_colours
from latent_navigator.explorer.dimensions import dimensions, unused_message
from latent_navigator.explorer.experiments import experiments
from latent_navigator.explorer.interpolation import INTERPOLATIONS
from latent_navigator.explorer.latent_space import ANCHORS, LatentSpace
from latent_navigator.explorer.lessons import lessons
from latent_navigator.explorer.map_layers import map_layers
from latent_navigator.explorer.navigation import describe_anchor, start_class
from latent_navigator.explorer.norms import norm_distribution
from latent_navigator.explorer.planes import describe_plane
from latent_navigator.explorer.readout import NAT
from latent_navigator.explorer.tour import tour
from latent_navigator.geometry.attributes import ATTRIBUTES
from latent_navigator.lab.lessons import LESSONS as TRAINING_LESSONS

PLACE = re.compile(
    r"\$\{(\w+)\.(\w+)\}"
)  # in the template; Gradio fills those of the default model


def list_models(models: Models, model: object) -> dict[str, Any]:
    """All models, for the page of one of them: {"models": see `ModelEntry.record`, "replays"}.

    The replays are those that the page can show; none once its model has been removed or replaced.
    """
    listed = [found.record() for found in models.entries()]
    try:
        replays = models.replays(models.find(model))
    except ValueError:
        replays = []
    return {"models": listed, "replays": replays}


def model_page(models: Models, template: str, key: object) -> dict[str, Any]:
    """The page of a model: {"html": the template, filled in, "page": its props}.

    Raises:
        ValueError: if there is no such model, or it cannot be opened.
    """
    listed = models.listed(key)
    if listed is None:
        names = ", ".join(entry.key for entry in models.entries() if not entry.fault)
        raise ValueError(f"this server has no such model; choose one of {names}")
    if listed.fault:
        raise ValueError(listed.fault)
    model = models.loaded(models.find(key))
    values = {
        "info": {name: escape(str(value)) for name, value in item_names(model.space).items()},
        "texts": page_texts(model.space),
    }
    html = PLACE.sub(lambda match: str(values[match[1]][match[2]]), template)
    return {"html": html, "page": model_props(model, models.replays(model.entry))}


def page_texts(space: LatentSpace) -> dict[str, str]:
    """The texts that depend on the model or stand in several parts, as HTML."""
    checkpoint = space.checkpoint
    return {
        "model": describe_model(checkpoint),
        "training": describe_training(checkpoint),
        "command": escape(training_command(checkpoint)),
        "nat": NAT,
    }


def model_props(model: LoadedModel, replays: Sequence[dict[str, str | None]]) -> dict[str, Any]:
    """All that the page is handed, as JSON; see the type Props of web/page.js."""
    entry = model.entry
    if not model.props:
        model.props.update(page_props(model.space))
    return model.props | {
        "replays": list(replays),
        "data": model.files.root,
        "model": {
            "key": entry.key,
            "label": entry.label,
            "description": entry.description,
            "images": entry.images,
            # What the page sends with each question, so that it never gets the answer of another.
            "ask": f"{entry.key}{REVISION}{entry.revision}" if entry.revision else entry.key,
        },
    }


def item_names(space: LatentSpace) -> dict[str, Any]:
    """What the images are called, and what describes each."""
    info, count = space.info, space.latent_dim
    in_many = f"{count} numbers, a position in a space; the map shows one plane through it"
    return {
        "position": "two numbers, a position on this map" if count == 2 else in_many,
        "item": info.item,
        "with_article": with_article(info.item),
        "heading": info.item[0].upper() + info.item[1:],
        "name": "a digit" if info.are_digits else "a name",
        "items": info.items,
        "are_digits": info.are_digits,
    }


def page_props(space: LatentSpace) -> dict[str, Any]:
    """What the page is handed of a model itself."""
    info, preparation = space.info, space.preparation
    classes = range(len(space.class_names))
    return {
        "range": space.range,
        "limit": space.limit,
        "latent_dim": space.latent_dim,
        "plane": describe_plane(space, space.plane),
        "dims": dimensions(space),
        "norms": None if space.latent_dim == 2 else _norms(space),
        "used": space.used.tolist(),
        "unused_message": unused_message(space),
        "radius": space.radius,
        "names": space.class_names,
        "plurals": space.plurals,
        "palette": class_colours(space),
        "info": item_names(space),
        "anchors": {name: points.tolist() for name, points in space.anchors.items()},
        "anchor_notes": {
            anchor: [describe_anchor(space, label, anchor) for label in classes]
            for anchor in ANCHORS
        },
        "start": start_class(space),
        "layers": [layer.record(info, space.radius) for layer in map_layers(space)],
        "methods": [method.record(info) for method in INTERPOLATIONS],
        "controls": [control.record() for control in page_controls(space)],
        "attributes": [{"name": name} | found._asdict() for name, found in ATTRIBUTES.items()],
        "lessons": [lesson.record() for lesson in lessons(space)],
        "training_lessons": [{"key": one.key, "title": one.title} for one in TRAINING_LESSONS],
        "experiments": [{"key": some.key, "label": some.label} for some in experiments(space)],
        "tour": [step.record() for step in tour(space)],
        "pad": {
            "paper": preparation.paper,
            "ink": preparation.ink,
            "side": PAD,
            "pen": PEN,
            "max_bytes": MAX_BYTES,
        },
    }


def _norms(space: LatentSpace) -> dict[str, Any]:
    """`norm_distribution` as JSON, rounded to what a plot shows."""
    found = norm_distribution(space)
    densities = {name: found[name].round(4).tolist() for name in ("means", "data", "prior")}
    return densities | {"most": found["most"], "typical": found["typical"]}
