"""What the operator writes: frozen pydantic models of plain values, and the report on bad ones."""

from components.settings.loading import load_settings
from components.settings.models import Settings
from components.settings.problems import Problem, SettingsError, report

__all__ = ["Problem", "Settings", "SettingsError", "load_settings", "report"]
