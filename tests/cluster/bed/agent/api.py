"""The API server, as the agent needs it: read, watch, report."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

Object = dict[str, Any]
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class Api:
    """The API server; every call is made anew, so that a restarted server is found again."""

    def __init__(self, kubeconfig: Path) -> None:
        """Read where it is, and as whom."""
        config = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._client = httpx.Client(
            base_url=cluster["server"],
            verify=_trusting(cluster["certificate-authority"]),
            headers={"Authorization": f"Bearer {user['token']}"},
            timeout=10,
            trust_env=False,
        )

    def get(self, path: str) -> Object | None:
        """An object; `None` if there is none."""
        answer = self._client.get(path)
        return None if answer.status_code == _NOT_FOUND else answer.raise_for_status().json()

    def patch_status(self, path: str, status: Object) -> None:
        """Report the status of an object; nothing happens if it is gone."""
        answer = self._client.patch(
            f"{path}/status", json={"status": status}, headers={"Content-Type": "application/merge-patch+json"}
        )
        if answer.status_code != _NOT_FOUND:
            answer.raise_for_status()

    def delete(self, path: str, uid: str) -> None:
        """Say that an object has ended, and may go."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        answer = self._client.request("DELETE", path, json=body)
        if answer.status_code not in {_NOT_FOUND, _CONFLICT}:
            answer.raise_for_status()

    def dry_create(self, path: str, item: Object) -> tuple[int, str]:
        """Whether the server would take a new object: its HTTP status, and what it says against it."""
        answer = self._client.post(path, params={"dryRun": "All"}, json=item)
        return answer.status_code, "" if answer.is_success else answer.text

    def token(self, namespace: str, account: str, audience: str | None, seconds: int) -> str:
        """A token of a service account."""
        spec: Object = {"expirationSeconds": seconds}
        if audience is not None:
            spec["audiences"] = [audience]
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return self._client.post(path, json=body).raise_for_status().json()["status"]["token"]

    def pods(self) -> Iterator[tuple[str, Object]]:
        """Every pod now (`ADDED`), and every change from then on; ends when the server ends the watch."""
        listed = self._client.get("/api/v1/pods").raise_for_status().json()
        yield from (("ADDED", item) for item in listed["items"])
        yield ("LISTED", {"uids": [item["metadata"]["uid"] for item in listed["items"]]})
        query = {"watch": "1", "resourceVersion": listed["metadata"]["resourceVersion"]}
        with self._client.stream("GET", "/api/v1/pods", params=query, timeout=httpx.Timeout(10, read=None)) as stream:
            stream.raise_for_status()  # such as 429 from a server that has just started
            for line in stream.iter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]


def _trusting(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)
