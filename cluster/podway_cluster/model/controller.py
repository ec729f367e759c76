"""IngressController (operator.openshift.io/v1): one shard of routers."""

from __future__ import annotations

from typing import NamedTuple

from .meta import LabelSelector, Meta
from .route import HeaderActions


class PublishingStrategy(NamedTuple):
    """`spec.endpointPublishingStrategy`: how clients reach the routers."""

    type: str = "HostNetwork"
    """HostNetwork, LoadBalancerService, NodePortService or Private."""
    http_port: int = 80
    https_port: int = 443
    stats_port: int = 1936
    protocol: str = "TCP"
    """`TCP`, or `PROXY`: connections begin with a PROXY header."""


class RouteAdmission(NamedTuple):
    """`spec.routeAdmission`."""

    namespace_ownership: str = "Strict"
    """`Strict` or `InterNamespaceAllowed`."""
    wildcard_policy: str = "WildcardsDisallowed"
    """`WildcardsDisallowed` or `WildcardsAllowed`."""


class TlsSecurityProfile(NamedTuple):
    """`spec.tlsSecurityProfile`."""

    type: str = "Intermediate"
    """Old, Intermediate, Modern or Custom."""
    ciphers: tuple[str, ...] = ()
    """Custom only, OpenSSL's names."""
    min_tls_version: str = ""
    """Custom only: VersionTLS10 to VersionTLS13."""


class ClientTls(NamedTuple):
    """`spec.clientTLS`: certificates asked of clients."""

    client_certificate_policy: str
    """`Required` or `Optional`."""
    client_ca: str
    """Name of a ConfigMap in openshift-config, key `ca-bundle.pem`."""
    allowed_subject_patterns: tuple[str, ...] = ()


class ControllerHeaders(NamedTuple):
    """`spec.httpHeaders`."""

    forwarded_header_policy: str = "Append"
    """Append, Replace, IfNone or Never."""
    unique_id_name: str = ""
    unique_id_format: str = ""
    actions: HeaderActions = HeaderActions()
    header_name_case_adjustments: tuple[str, ...] = ()


class CapturedHeader(NamedTuple):
    """One of `spec.logging.access.httpCaptureHeaders`."""

    name: str
    max_length: int


class CapturedCookie(NamedTuple):
    """The one of `spec.logging.access.httpCaptureCookies`."""

    name: str
    """The whole name, or how it begins."""
    exact: bool
    max_length: int


class AccessLogging(NamedTuple):
    """`spec.logging.access`."""

    destination: str = "Container"
    """`Container` (standard output) or `Syslog`."""
    syslog_address: str = ""
    syslog_port: int = 0
    syslog_facility: str = "local1"
    max_length: int = 1024
    """Of the destination that is in use: longest line in bytes."""
    http_log_format: str = ""
    log_empty_requests: str = "Log"
    """`Log` or `Ignore`."""
    capture_request: tuple[CapturedHeader, ...] = ()
    capture_response: tuple[CapturedHeader, ...] = ()
    capture_cookie: CapturedCookie | None = None


class TuningOptions(NamedTuple):
    """`spec.tuningOptions`; times in seconds, sizes in bytes."""

    thread_count: int = 0
    """0: not given, the daemon decides."""
    header_buffer_bytes: int = 32_768
    header_buffer_max_rewrite_bytes: int = 8_192
    client_timeout: float = 30.0
    client_fin_timeout: float = 1.0
    server_timeout: float = 30.0
    server_fin_timeout: float = 1.0
    tunnel_timeout: float = 3600.0
    connect_timeout: float = 5.0
    http_keep_alive_timeout: float = 300.0
    tls_inspect_delay: float = 5.0
    health_check_interval: float = 5.0
    max_connections: int = 50_000
    """-1: what the descriptor limit allows."""
    reload_interval: float = 5.0


class IngressController(NamedTuple):
    """One IngressController."""

    meta: Meta
    domain: str = ""
    replicas: int = 1
    endpoint_publishing_strategy: PublishingStrategy = PublishingStrategy()
    default_certificate: str = ""
    """Name of a Secret in the controller's namespace or openshift-ingress."""
    namespace_selector: LabelSelector | None = None
    route_selector: LabelSelector | None = None
    route_admission: RouteAdmission = RouteAdmission()
    tls_security_profile: TlsSecurityProfile = TlsSecurityProfile()
    client_tls: ClientTls | None = None
    http_headers: ControllerHeaders = ControllerHeaders()
    http_error_code_pages: str = ""
    """Name of a ConfigMap in openshift-config."""
    http_empty_requests_policy: str = "Respond"
    """`Respond` or `Ignore`."""
    access_logging: AccessLogging | None = None
    http_compression_mime_types: tuple[str, ...] = ()
    idle_connection_termination_policy: str = "Immediate"
    """`Immediate` or `Deferred`."""
    tuning_options: TuningOptions = TuningOptions()
