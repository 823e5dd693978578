"""Names of the SDK's top level about the instance: where the app runs, and what types of projects there are."""

from __future__ import annotations

import enum

from autoflow import settings

_COMMUNITY = {"https://app.supervise.ly", "https://app.supervisely.com"}


class ProjectType(enum.Enum):
    """The type of a project; ``str()`` of it is its name on the wire."""

    IMAGES = "images"
    VIDEOS = "videos"
    VOLUMES = "volumes"
    POINT_CLOUDS = "point_clouds"
    POINT_CLOUD_EPISODES = "point_cloud_episodes"
    MESHES = "meshes"
    AUDIO = "audio"

    def __str__(self) -> str:
        return self.value

    @classmethod
    def has_value(cls, value: str) -> bool:
        """Return whether a type has this name."""
        return value in cls.values()

    @classmethod
    def values(cls) -> list[str]:
        """Return the names of all types."""
        return [member.value for member in cls]


def is_production() -> bool:
    """Return whether the app runs on an instance (``ENV=production``)."""
    return settings.production()


def is_development() -> bool:
    """Return whether the app runs anywhere else."""
    return not settings.production()


def is_community() -> bool:
    """Return whether ``SERVER_ADDRESS`` is the public instance."""
    return (settings.instance() or "").rstrip("/") in _COMMUNITY


def is_debug_with_sly_net() -> bool:
    """Return whether the app is debugged through the instance's network (``DEBUG_WITH_SLY_NET``)."""
    return settings.debug_with_sly_net()


def is_at_least(version: str, minimum: str) -> bool:
    """Return whether a dotted version is not older than another; parts that are not numbers count as 0."""

    def parts(text: str) -> list[int]:
        numbers = [int(part) if part.isdecimal() else 0 for part in text.strip().split(".")]
        return numbers + [0] * (4 - len(numbers))

    return parts(version) >= parts(minimum)
