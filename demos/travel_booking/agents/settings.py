"""Where an agent finds the gateway and the public APIs. Everything comes from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One agent's surroundings; the defaults are the real services."""

    llm_gateway: str = "http://127.0.0.1:12000/v1"
    """Base URL of the gateway's model listener."""
    geocoding: str = "https://geocoding-api.open-meteo.com"
    open_meteo: str = "https://api.open-meteo.com"
    aeroapi: str = "https://aeroapi.flightaware.com/aeroapi"
    aeroapi_key: str | None = field(default=None, repr=False)
    frankfurter: str = "https://api.frankfurter.dev"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; a variable that is unset or empty leaves the default."""
        given = {name: environment.get(variable) for name, variable in VARIABLES.items()}
        return cls(**{name: value for name, value in given.items() if value})


VARIABLES = {
    "llm_gateway": "LLM_GATEWAY_ENDPOINT",
    "geocoding": "OPEN_METEO_GEOCODING_URL",
    "open_meteo": "OPEN_METEO_URL",
    "aeroapi": "AEROAPI_URL",
    "aeroapi_key": "AEROAPI_KEY",
    "frankfurter": "FRANKFURTER_URL",
}
"""Field of Settings -> environment variable."""
