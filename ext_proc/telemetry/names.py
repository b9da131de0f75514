"""Every metric name of ext_proc, its unit in the name. Labels are bounded by configuration or constants, never by clients."""

from typing import Final

REQUESTS: Final = "plano_requests_total"
REQUESTS_IN_FLIGHT: Final = "plano_requests_in_flight"
REQUEST_DURATION: Final = "plano_request_duration_seconds"
DECISION_DURATION: Final = "plano_decision_duration_seconds"
DECISIONS: Final = "plano_decisions_total"
ROUTE_DECISIONS: Final = "plano_route_decisions_total"
MODEL_REQUESTS: Final = "plano_model_requests_total"
ATTEMPTS: Final = "plano_attempts_total"
CONTINUATIONS: Final = "plano_continuations_total"
FAILOVERS: Final = "plano_failovers_total"
LLM_TOKENS: Final = "plano_llm_tokens_total"
TIME_TO_FIRST_TOKEN: Final = "plano_time_to_first_token_seconds"  # noqa: S105 - a metric
ERRORS: Final = "plano_ext_proc_errors_total"
FILTER_DURATION: Final = "plano_filter_duration_seconds"
ORCHESTRATOR_DURATION: Final = "plano_orchestrator_duration_seconds"
CONFIG_UPDATES: Final = "plano_ext_proc_config_updates_total"
CONFIG_VERSION: Final = "plano_config_version_info"
BUILD_INFO: Final = "plano_ext_proc_build_info"
WORKERS: Final = "plano_ext_proc_workers"
WORKER_RESTARTS: Final = "plano_ext_proc_worker_restarts_total"
