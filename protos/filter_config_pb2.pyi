from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FilterConfig(_message.Message):
    __slots__ = ("version", "listeners", "filters", "models", "aliases", "orchestrator", "egress_url", "preferences", "routing_model", "sources", "affinity", "cache_marks_from", "counts_tokens", "stream_retries", "rankings", "tracing", "max_request_bytes", "embedding", "disable_signals", "latest_names", "python_folder", "callers", "prices")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LISTENERS_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    ORCHESTRATOR_FIELD_NUMBER: _ClassVar[int]
    EGRESS_URL_FIELD_NUMBER: _ClassVar[int]
    PREFERENCES_FIELD_NUMBER: _ClassVar[int]
    ROUTING_MODEL_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_FIELD_NUMBER: _ClassVar[int]
    CACHE_MARKS_FROM_FIELD_NUMBER: _ClassVar[int]
    COUNTS_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STREAM_RETRIES_FIELD_NUMBER: _ClassVar[int]
    RANKINGS_FIELD_NUMBER: _ClassVar[int]
    TRACING_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    DISABLE_SIGNALS_FIELD_NUMBER: _ClassVar[int]
    LATEST_NAMES_FIELD_NUMBER: _ClassVar[int]
    PYTHON_FOLDER_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    version: str
    listeners: _containers.RepeatedCompositeFieldContainer[Listener]
    filters: _containers.RepeatedCompositeFieldContainer[Filter]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    aliases: _containers.RepeatedCompositeFieldContainer[Alias]
    orchestrator: Orchestrator
    egress_url: str
    preferences: _containers.RepeatedCompositeFieldContainer[Preference]
    routing_model: Orchestrator
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    affinity: Affinity
    cache_marks_from: int
    counts_tokens: bool
    stream_retries: int
    rankings: _containers.RepeatedCompositeFieldContainer[ModelRoute]
    tracing: Tracing
    max_request_bytes: int
    embedding: Embedding
    disable_signals: bool
    latest_names: bool
    python_folder: str
    callers: _containers.RepeatedCompositeFieldContainer[Caller]
    prices: _containers.RepeatedCompositeFieldContainer[ModelPrice]
    def __init__(self, version: _Optional[str] = ..., listeners: _Optional[_Iterable[_Union[Listener, _Mapping]]] = ..., filters: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., aliases: _Optional[_Iterable[_Union[Alias, _Mapping]]] = ..., orchestrator: _Optional[_Union[Orchestrator, _Mapping]] = ..., egress_url: _Optional[str] = ..., preferences: _Optional[_Iterable[_Union[Preference, _Mapping]]] = ..., routing_model: _Optional[_Union[Orchestrator, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., affinity: _Optional[_Union[Affinity, _Mapping]] = ..., cache_marks_from: _Optional[int] = ..., counts_tokens: _Optional[bool] = ..., stream_retries: _Optional[int] = ..., rankings: _Optional[_Iterable[_Union[ModelRoute, _Mapping]]] = ..., tracing: _Optional[_Union[Tracing, _Mapping]] = ..., max_request_bytes: _Optional[int] = ..., embedding: _Optional[_Union[Embedding, _Mapping]] = ..., disable_signals: _Optional[bool] = ..., latest_names: _Optional[bool] = ..., python_folder: _Optional[str] = ..., callers: _Optional[_Iterable[_Union[Caller, _Mapping]]] = ..., prices: _Optional[_Iterable[_Union[ModelPrice, _Mapping]]] = ...) -> None: ...

class ModelPrice(_message.Message):
    __slots__ = ("model", "tiers")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIERS_FIELD_NUMBER: _ClassVar[int]
    model: str
    tiers: _containers.RepeatedCompositeFieldContainer[PriceTier]
    def __init__(self, model: _Optional[str] = ..., tiers: _Optional[_Iterable[_Union[PriceTier, _Mapping]]] = ...) -> None: ...

class PriceTier(_message.Message):
    __slots__ = ("above_tokens", "input", "cached_input", "cache_write", "output", "reasoning")
    ABOVE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    above_tokens: int
    input: float
    cached_input: float
    cache_write: float
    output: float
    reasoning: float
    def __init__(self, above_tokens: _Optional[int] = ..., input: _Optional[float] = ..., cached_input: _Optional[float] = ..., cache_write: _Optional[float] = ..., output: _Optional[float] = ..., reasoning: _Optional[float] = ...) -> None: ...

class Tracing(_message.Message):
    __slots__ = ("route", "path", "protocol", "timeout_seconds", "interval_seconds", "queue_size", "batch_size", "resource", "attributes", "header_prefixes", "captures_content")
    class ResourceEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    HEADER_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    CAPTURES_CONTENT_FIELD_NUMBER: _ClassVar[int]
    route: str
    path: str
    protocol: str
    timeout_seconds: float
    interval_seconds: float
    queue_size: int
    batch_size: int
    resource: _containers.ScalarMap[str, str]
    attributes: _containers.ScalarMap[str, str]
    header_prefixes: _containers.RepeatedScalarFieldContainer[str]
    captures_content: bool
    def __init__(self, route: _Optional[str] = ..., path: _Optional[str] = ..., protocol: _Optional[str] = ..., timeout_seconds: _Optional[float] = ..., interval_seconds: _Optional[float] = ..., queue_size: _Optional[int] = ..., batch_size: _Optional[int] = ..., resource: _Optional[_Mapping[str, str]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., header_prefixes: _Optional[_Iterable[str]] = ..., captures_content: _Optional[bool] = ...) -> None: ...

class Caller(_message.Message):
    __slots__ = ("name", "restricts_models", "models", "restricts_agents", "agents")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESTRICTS_MODELS_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    RESTRICTS_AGENTS_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    restricts_models: bool
    models: _containers.RepeatedScalarFieldContainer[str]
    restricts_agents: bool
    agents: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., restricts_models: _Optional[bool] = ..., models: _Optional[_Iterable[str]] = ..., restricts_agents: _Optional[bool] = ..., agents: _Optional[_Iterable[str]] = ...) -> None: ...

class Listener(_message.Message):
    __slots__ = ("name", "kind", "agents", "input_filters", "continues_streams", "passes_streams_at_once", "orchestration", "output_filters")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Listener.Kind]
        AGENT: _ClassVar[Listener.Kind]
        MODEL: _ClassVar[Listener.Kind]
    KIND_UNSPECIFIED: Listener.Kind
    AGENT: Listener.Kind
    MODEL: Listener.Kind
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FILTERS_FIELD_NUMBER: _ClassVar[int]
    CONTINUES_STREAMS_FIELD_NUMBER: _ClassVar[int]
    PASSES_STREAMS_AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    ORCHESTRATION_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FILTERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: Listener.Kind
    agents: _containers.RepeatedCompositeFieldContainer[Agent]
    input_filters: _containers.RepeatedScalarFieldContainer[str]
    continues_streams: bool
    passes_streams_at_once: bool
    orchestration: Orchestration
    output_filters: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[Listener.Kind, str]] = ..., agents: _Optional[_Iterable[_Union[Agent, _Mapping]]] = ..., input_filters: _Optional[_Iterable[str]] = ..., continues_streams: _Optional[bool] = ..., passes_streams_at_once: _Optional[bool] = ..., orchestration: _Optional[_Union[Orchestration, _Mapping]] = ..., output_filters: _Optional[_Iterable[str]] = ...) -> None: ...

class Orchestration(_message.Message):
    __slots__ = ("mode", "shows_last_only", "continues_on_failure", "omits_labels", "max_agents", "max_rounds", "route", "role_agent", "role_model", "role_apis")
    MODE_FIELD_NUMBER: _ClassVar[int]
    SHOWS_LAST_ONLY_FIELD_NUMBER: _ClassVar[int]
    CONTINUES_ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    OMITS_LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_AGENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ROLE_AGENT_FIELD_NUMBER: _ClassVar[int]
    ROLE_MODEL_FIELD_NUMBER: _ClassVar[int]
    ROLE_APIS_FIELD_NUMBER: _ClassVar[int]
    mode: str
    shows_last_only: bool
    continues_on_failure: bool
    omits_labels: bool
    max_agents: int
    max_rounds: int
    route: str
    role_agent: str
    role_model: Orchestrator
    role_apis: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mode: _Optional[str] = ..., shows_last_only: _Optional[bool] = ..., continues_on_failure: _Optional[bool] = ..., omits_labels: _Optional[bool] = ..., max_agents: _Optional[int] = ..., max_rounds: _Optional[int] = ..., route: _Optional[str] = ..., role_agent: _Optional[str] = ..., role_model: _Optional[_Union[Orchestrator, _Mapping]] = ..., role_apis: _Optional[_Iterable[str]] = ...) -> None: ...

class Agent(_message.Message):
    __slots__ = ("id", "description", "default", "input_filters", "route", "apis", "variants")
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FILTERS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    APIS_FIELD_NUMBER: _ClassVar[int]
    VARIANTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    description: str
    default: bool
    input_filters: _containers.RepeatedScalarFieldContainer[str]
    route: str
    apis: _containers.RepeatedScalarFieldContainer[str]
    variants: _containers.RepeatedCompositeFieldContainer[Variant]
    def __init__(self, id: _Optional[str] = ..., description: _Optional[str] = ..., default: _Optional[bool] = ..., input_filters: _Optional[_Iterable[str]] = ..., route: _Optional[str] = ..., apis: _Optional[_Iterable[str]] = ..., variants: _Optional[_Iterable[_Union[Variant, _Mapping]]] = ...) -> None: ...

class Variant(_message.Message):
    __slots__ = ("id", "route", "weight", "header", "value", "apis")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    APIS_FIELD_NUMBER: _ClassVar[int]
    id: str
    route: str
    weight: int
    header: str
    value: str
    apis: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., route: _Optional[str] = ..., weight: _Optional[int] = ..., header: _Optional[str] = ..., value: _Optional[str] = ..., apis: _Optional[_Iterable[str]] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("id", "type", "route", "tool", "path", "passthrough_auth", "timeout_seconds", "passes_on_error", "hold_back", "callable", "refusal_message")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PASSTHROUGH_AUTH_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PASSES_ON_ERROR_FIELD_NUMBER: _ClassVar[int]
    HOLD_BACK_FIELD_NUMBER: _ClassVar[int]
    CALLABLE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    id: str
    type: str
    route: str
    tool: str
    path: str
    passthrough_auth: bool
    timeout_seconds: float
    passes_on_error: bool
    hold_back: int
    callable: str
    refusal_message: str
    def __init__(self, id: _Optional[str] = ..., type: _Optional[str] = ..., route: _Optional[str] = ..., tool: _Optional[str] = ..., path: _Optional[str] = ..., passthrough_auth: _Optional[bool] = ..., timeout_seconds: _Optional[float] = ..., passes_on_error: _Optional[bool] = ..., hold_back: _Optional[int] = ..., callable: _Optional[str] = ..., refusal_message: _Optional[str] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "upstream_model", "default", "internal", "provider", "routes", "targets", "own_ids")
    NAME_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    OWN_IDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    upstream_model: str
    default: bool
    internal: bool
    provider: str
    routes: _containers.RepeatedCompositeFieldContainer[ModelRoute]
    targets: _containers.RepeatedCompositeFieldContainer[Target]
    own_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., upstream_model: _Optional[str] = ..., default: _Optional[bool] = ..., internal: _Optional[bool] = ..., provider: _Optional[str] = ..., routes: _Optional[_Iterable[_Union[ModelRoute, _Mapping]]] = ..., targets: _Optional[_Iterable[_Union[Target, _Mapping]]] = ..., own_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ModelRoute(_message.Message):
    __slots__ = ("api", "route", "path", "by_attempt", "members", "stream_route", "continued", "silence_seconds", "tools_route")
    API_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BY_ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    STREAM_ROUTE_FIELD_NUMBER: _ClassVar[int]
    CONTINUED_FIELD_NUMBER: _ClassVar[int]
    SILENCE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_ROUTE_FIELD_NUMBER: _ClassVar[int]
    api: str
    route: str
    path: str
    by_attempt: bool
    members: _containers.RepeatedCompositeFieldContainer[Member]
    stream_route: str
    continued: str
    silence_seconds: float
    tools_route: str
    def __init__(self, api: _Optional[str] = ..., route: _Optional[str] = ..., path: _Optional[str] = ..., by_attempt: _Optional[bool] = ..., members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., stream_route: _Optional[str] = ..., continued: _Optional[str] = ..., silence_seconds: _Optional[float] = ..., tools_route: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("model", "api", "resumed", "resumed_api")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    API_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    RESUMED_API_FIELD_NUMBER: _ClassVar[int]
    model: str
    api: str
    resumed: str
    resumed_api: str
    def __init__(self, model: _Optional[str] = ..., api: _Optional[str] = ..., resumed: _Optional[str] = ..., resumed_api: _Optional[str] = ...) -> None: ...

class Target(_message.Message):
    __slots__ = ("api", "path", "quirks", "stream_path", "client_key_header", "route", "failover_route")
    API_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    QUIRKS_FIELD_NUMBER: _ClassVar[int]
    STREAM_PATH_FIELD_NUMBER: _ClassVar[int]
    CLIENT_KEY_HEADER_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    FAILOVER_ROUTE_FIELD_NUMBER: _ClassVar[int]
    api: str
    path: str
    quirks: str
    stream_path: str
    client_key_header: str
    route: str
    failover_route: str
    def __init__(self, api: _Optional[str] = ..., path: _Optional[str] = ..., quirks: _Optional[str] = ..., stream_path: _Optional[str] = ..., client_key_header: _Optional[str] = ..., route: _Optional[str] = ..., failover_route: _Optional[str] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("name", "model", "shares")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    name: str
    model: str
    shares: _containers.RepeatedCompositeFieldContainer[Share]
    def __init__(self, name: _Optional[str] = ..., model: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[Share, _Mapping]]] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("model", "weight", "routes")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    model: str
    weight: int
    routes: _containers.RepeatedCompositeFieldContainer[ModelRoute]
    def __init__(self, model: _Optional[str] = ..., weight: _Optional[int] = ..., routes: _Optional[_Iterable[_Union[ModelRoute, _Mapping]]] = ...) -> None: ...

class Preference(_message.Message):
    __slots__ = ("name", "description", "models", "prefer", "starts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PREFER_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    models: _containers.RepeatedScalarFieldContainer[str]
    prefer: str
    starts: _containers.RepeatedCompositeFieldContainer[Start]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., prefer: _Optional[str] = ..., starts: _Optional[_Iterable[_Union[Start, _Mapping]]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("feed", "route", "path", "interval_seconds", "aliases")
    class AliasesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FEED_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    feed: str
    route: str
    path: str
    interval_seconds: float
    aliases: _containers.ScalarMap[str, str]
    def __init__(self, feed: _Optional[str] = ..., route: _Optional[str] = ..., path: _Optional[str] = ..., interval_seconds: _Optional[float] = ..., aliases: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Affinity(_message.Message):
    __slots__ = ("ttl_seconds", "max_entries", "tenant_header", "implied_ttl_seconds", "user_only", "budget", "store_url")
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    TENANT_HEADER_FIELD_NUMBER: _ClassVar[int]
    IMPLIED_TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    USER_ONLY_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    STORE_URL_FIELD_NUMBER: _ClassVar[int]
    ttl_seconds: float
    max_entries: int
    tenant_header: str
    implied_ttl_seconds: float
    user_only: bool
    budget: Budget
    store_url: str
    def __init__(self, ttl_seconds: _Optional[float] = ..., max_entries: _Optional[int] = ..., tenant_header: _Optional[str] = ..., implied_ttl_seconds: _Optional[float] = ..., user_only: _Optional[bool] = ..., budget: _Optional[_Union[Budget, _Mapping]] = ..., store_url: _Optional[str] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("percent", "replenishes", "cached_share", "records_refused")
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    REPLENISHES_FIELD_NUMBER: _ClassVar[int]
    CACHED_SHARE_FIELD_NUMBER: _ClassVar[int]
    RECORDS_REFUSED_FIELD_NUMBER: _ClassVar[int]
    percent: float
    replenishes: bool
    cached_share: float
    records_refused: bool
    def __init__(self, percent: _Optional[float] = ..., replenishes: _Optional[bool] = ..., cached_share: _Optional[float] = ..., records_refused: _Optional[bool] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ("model", "routes")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    model: str
    routes: _containers.RepeatedCompositeFieldContainer[ModelRoute]
    def __init__(self, model: _Optional[str] = ..., routes: _Optional[_Iterable[_Union[ModelRoute, _Mapping]]] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("route", "path", "upstream_model", "timeout_seconds", "built_in")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BUILT_IN_FIELD_NUMBER: _ClassVar[int]
    route: str
    path: str
    upstream_model: str
    timeout_seconds: float
    built_in: bool
    def __init__(self, route: _Optional[str] = ..., path: _Optional[str] = ..., upstream_model: _Optional[str] = ..., timeout_seconds: _Optional[float] = ..., built_in: _Optional[bool] = ...) -> None: ...

class Orchestrator(_message.Message):
    __slots__ = ("model", "timeout_seconds", "context_length", "api", "threshold", "cache_seconds", "tells_earlier")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    API_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    CACHE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TELLS_EARLIER_FIELD_NUMBER: _ClassVar[int]
    model: str
    timeout_seconds: float
    context_length: int
    api: str
    threshold: float
    cache_seconds: float
    tells_earlier: bool
    def __init__(self, model: _Optional[str] = ..., timeout_seconds: _Optional[float] = ..., context_length: _Optional[int] = ..., api: _Optional[str] = ..., threshold: _Optional[float] = ..., cache_seconds: _Optional[float] = ..., tells_earlier: _Optional[bool] = ...) -> None: ...
