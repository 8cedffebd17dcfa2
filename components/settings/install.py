"""Where charts and images come from: pinned defaults, each of which a mirror may replace."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from components.settings.problems import wrong
from components.settings.types import EntryName, Items, KubernetesLabel, Model, Port, Sentence, ServicePort

Version = Annotated[str, Field(pattern=r"^v?\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$")]
Source = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
"""A chart: an `oci://` address, or a folder or archive on this machine."""


_ESCAPE_FIXED: Final = (1, 9, 1)


def _escape_fixed(version: str) -> str:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers < _ESCAPE_FIXED:
        raise wrong(f"{version} lets a tenant escape by securityContext", "v1.9.1 or newer")
    return version


class Canary(Model):
    """A second istiod, of the revision `canary`, for an upgrade in steps: docs/egress-gateways.md."""

    version: Version
    """The version of its chart and images, and of the gateways that move. Not older than the first one's, and of the
    same minor version or the next. Equal at the end, while pods move back."""
    namespaces: Items[KubernetesLabel] | None = None
    """Client namespaces that move. Without them: none."""
    gateways: Items[EntryName] | None = None
    """Egress gateways that move, by name; `default` is egress.mesh.gateway. Without them: none."""


class Istio(Model):
    """Istio's charts. The defaults are the addresses that Istio publishes (istio.io, "Install with Helm")."""

    version: Version = "1.31.0"
    """The version of its charts, and of the images."""
    namespace: KubernetesLabel = "istio-system"
    """istiod's namespace; ours, so created and deleted with the stack."""
    base: Source = "oci://gcr.io/istio-release/charts/base"
    """The chart with Istio's CRDs."""
    istiod: Source = "oci://gcr.io/istio-release/charts/istiod"
    """The control plane's chart."""
    gateway: Source = "oci://gcr.io/istio-release/charts/gateway"
    """The egress gateway's chart."""
    cni: Source = "oci://gcr.io/istio-release/charts/cni"
    """The chart of the node agent that takes pods into an ambient mesh. Installed with `dataPlane: ambient` only."""
    ztunnel: Source = "oci://gcr.io/istio-release/charts/ztunnel"
    """The chart of ztunnel, an ambient mesh's proxy on each node. Likewise."""
    image_registry: Source | None = None
    """The registry and path of Istio's images (`global.hub`), if mirrored."""
    canary: Canary | None = None
    """A newer istiod beside this one, during an upgrade."""


class Redis(ServicePort):
    """A Redis in the cluster, run by others, in which proxies count requests together.

    While it does not answer, requests with such a limit are refused. It asks for no password: the NetworkPolicy lets
    Envoy Gateway's rate limit service reach it, and its own should let in nobody else.
    """

    port: Port = 6379
    """The Service's port."""


class EnvoyGateway(Model):
    """Envoy Gateway's chart; installed only where backends are declared."""

    version: Annotated[Version, AfterValidator(_escape_fixed)] = "v1.9.1"
    """The version of the chart. Not below v1.9.1, which fixed a tenant's escape by securityContext. A newer one needs
    its CRDs first: docs/upgrading-envoy-gateway.md."""
    namespace: KubernetesLabel = "envoy-gateway-system"
    """The controller's and its proxies' namespace; ours."""
    chart: Source = "oci://docker.io/envoyproxy/gateway-helm"
    """The chart; it brings the CRDs of Gateway API and Envoy Gateway."""
    image_registry: Source | None = None
    """The registry of Envoy Gateway's images (`global.imageRegistry`), if mirrored."""
    redis: Redis | None = None
    """Where proxies count together. Needed by limits that say so."""


class ChartRegistry(Model):
    """Credentials for a chart registry that asks for them."""

    username: Sentence
    """The user."""
    password_secret: EntryName
    """The name, under `secrets`, of the password."""


class Install(Model):
    """Charts, versions and registries."""

    istio: Istio = Field(default_factory=Istio)
    """Istio."""
    envoy_gateway: EnvoyGateway = Field(default_factory=EnvoyGateway)
    """Envoy Gateway."""
    gateway_api: Literal["standard", "experimental"] | None = None
    """The cluster has the CRDs of Gateway API from elsewhere: v1.6 or newer, of this channel. Without it they come
    with Envoy Gateway, where backends are declared. Needed by `flavour: gateway-api` only."""
    chart_registry: ChartRegistry | None = None
    """Credentials for the charts' registry."""
