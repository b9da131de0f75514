"""The gRPC side of providers' errors on plain routes: one call is one error, rendered in the client's API."""

from ext_proc.apis.errors import redirected, render_error
from ext_proc.apis.registry import shape_of
from ext_proc.codec.content_encoding import decoder
from ext_proc.codec.key_redaction import redact_keys
from ext_proc.errors import GatewayError
from ext_proc.grpc_server.call import Call, Method
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.translate.passthrough import in_clients_shape
from ext_proc.wire.common import UnexpectedMessage
from ext_proc.wire.provider_errors import ErrorBytes, ErrorHead, decode_error, encode_error
from process_log import get_logger


class ErrorProcessor:
    """Serves the streams of the http_filter `plano.errors`."""

    def __init__(self) -> None:
        self._log = get_logger()

    def method(self) -> Method:
        """Return the gRPC method."""
        return lambda call: _Error(call, self)

    def answer(self, head: ErrorHead | None, event: ErrorHead | ErrorBytes) -> bytes | None:
        """Return the client's body; None if the provider's body passes unchanged."""
        try:
            return _render(head, event)
        except Exception as error:  # noqa: BLE001 - bugs become answers only here
            self._log.exception("error_untold", error=error)
            return None

    def refuse(self, unexpected: UnexpectedMessage) -> Abort:
        """Return the error of an unreadable message."""
        self._log.error("message_unexpected", stage="errors", phase=str(unexpected))
        return Abort(Status.INVALID_ARGUMENT, f"unexpected {unexpected}")


def _render(head: ErrorHead | None, event: ErrorHead | ErrorBytes) -> bytes | None:
    if isinstance(event, ErrorHead) and event.is_redirect:
        return render_error(redirected(event.status), shape_of(event.client_api)).body
    if isinstance(event, ErrorHead):
        return in_clients_shape(event.client_api, event.status, b"") if event.client_api and event.ends_stream else None
    undo = decoder(head.encoding) if head is not None else None
    if head is None or undo is None or not head.client_api:
        return None
    try:
        plain = undo.decode(event.data)
    except GatewayError:
        return None
    rendered = redact_keys(in_clients_shape(head.client_api, head.status, plain))
    return None if rendered == plain else rendered


class _Error:
    """One call. It never waits, so it needs no task."""

    def __init__(self, call: Call, processor: ErrorProcessor) -> None:
        self._call = call
        self._processor = processor
        self._head: ErrorHead | None = None

    def receive(self, message: bytes) -> None:
        """Answer a message."""
        try:
            event = decode_error(message)
        except UnexpectedMessage as unexpected:
            raise self._processor.refuse(unexpected) from None
        self._call.send(encode_error(event, self._processor.answer(self._head, event)))
        if isinstance(event, ErrorHead) and not event.ends_stream and not event.is_redirect:
            self._head = event
        else:
            self._call.finish()

    def end(self) -> None:
        """Nothing to do: Envoy has its answer."""
        self._call.finish()

    def cancel(self) -> None:
        """Nothing to do: the client has disconnected."""

    def resume(self) -> None:
        """Nothing to resume: there are only two answers."""
