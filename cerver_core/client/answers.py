"""What a gateway's answer means: a model, or the error it carries; never shows the token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from cerver_core.errors import CerverError, ProviderFailed, Unauthorized, Unavailable
from cerver_core.render.cut import cut_text
from cerver_core.render.escape import visible
from cerver_core.wire.problems import from_problem

__all__ = ["Answer", "Gateway"]

Model = TypeVar("Model", bound=BaseModel)
JsonObject = dict[str, JsonValue]

_MESSAGE = 2_000
"""The most characters of a gateway's error message that are passed on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read whole."""

    status: int
    media: str
    body: bytes
    location: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """Which gateway is asked, for messages; the token is known here only so that it can be masked."""

    host: str
    token: str = field(repr=False)

    def object(self, body: bytes, name: str) -> JsonObject:
        """Read the JSON object of a good answer.

        Raises:
            ProviderFailed: it is not one; most likely the address is not a gateway's.
        """
        try:
            return _OBJECT.validate_json(body)
        except ValidationError as error:
            raise ProviderFailed(
                f"{self.host} answered {name} with something that is not a JSON object: "
                "check that CERVER_GATEWAY_URL is a Cerver gateway"
            ) from error

    def model(self, model: type[Model], value: Mapping[str, JsonValue], name: str) -> Model:
        """Read a good answer as the model it should be.

        Raises:
            ProviderFailed: it does not fit; the fields are named, their values are not.
        """
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise self.misfit(error, name) from error

    def array(self, model: type[Model], body: bytes, name: str) -> Model:
        """Read a good answer that is a JSON array, as the model that stands for it.

        Raises:
            ProviderFailed: it is not one, or does not fit.
        """
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise self.misfit(error, name) from error

    def misfit(self, error: ValidationError, name: str) -> ProviderFailed:
        """Say which fields of an answer do not fit."""
        fields = sorted({".".join(str(part) for part in found["loc"]) for found in error.errors(include_input=False)})
        return ProviderFailed(
            f"{self.host} answered {name} in a shape this Cerver does not know ({', '.join(fields[:5])}): "
            "the gateway may be of another version"
        )

    def problem(self, answer: Answer, name: str) -> CerverError:
        """Turn an answer that is not good into the error it means."""
        if answer.status < 400:
            where = f" to {cut_text(answer.location, 200)}" if answer.location else ""
            return ProviderFailed(
                f"{self.host} redirects{where} (HTTP {answer.status}): set CERVER_GATEWAY_URL to the final address"
            )
        body = _json_object(answer.body)
        if body is None:
            return self._foreign(answer, name)
        error = self.carried(answer.status, body)
        if answer.retry_after_s is not None:
            error.detail.setdefault("retry_after_s", answer.retry_after_s)
        return error

    def carried(self, status: int, body: Mapping[str, JsonValue]) -> CerverError:
        """Read a problem body: its code decides the class, else the status does."""
        text = body.get("error")
        told = self._clean(text) if isinstance(text, str) and text else ""
        error = from_problem(status, {**body, "error": told or f"{self.host} answered with HTTP status {status}"})
        if isinstance(error, Unauthorized):
            error.message = f"{self.host} does not accept the token ({error.message}): check CERVER_API_TOKEN"
        return error

    def _foreign(self, answer: Answer, name: str) -> CerverError:
        media = visible(cut_text(answer.media, 80)) or "no content type"
        told = f"{self.host} answered {name} with HTTP {answer.status} and {media} instead of JSON"
        if answer.status >= 500:
            return Unavailable(f"{told}: the gateway, or a proxy before it, fails; try again later")
        error = from_problem(answer.status, {"error": f"{told}: check CERVER_GATEWAY_URL"})
        if isinstance(error, Unauthorized):
            error.message = f"{told}: check CERVER_API_TOKEN and CERVER_GATEWAY_URL"
        return error

    def _clean(self, text: str) -> str:
        return visible(cut_text((text.replace(self.token, "***") if self.token else text), _MESSAGE))


def _json_object(body: bytes) -> JsonObject | None:
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        return None


_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)
