"""The payment machines in the data centre, as a Backend of Envoy Gateway."""

import pulumi
import pulumi_kubernetes as kubernetes

cluster = kubernetes.Provider("cluster")
kubernetes.apiextensions.CustomResource(
    "payments",
    api_version="gateway.envoyproxy.io/v1alpha1",
    kind="Backend",
    metadata={"name": "payments", "namespace": "shop"},
    spec={
        "endpoints": [{"ip": {"address": "10.20.1.5", "port": 8443}}],
        "tls": {"wellKnownCACertificates": "System", "sni": "payments.example.com"},
    },
    opts=pulumi.ResourceOptions(provider=cluster),
)
