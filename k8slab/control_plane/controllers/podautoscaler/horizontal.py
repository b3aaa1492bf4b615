"""The loop of the HorizontalPodAutoscaler controller.

Each autoscaler is looked at every 15 s, the first time 15 s after it was made: never at once, for
what happens now shows in the measurements later.

Rule of use: deciding is `plan`'s business; this module asks, writes and tells.

Upstream: pkg/controller/podautoscaler/horizontal.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.autoscaling import HorizontalPodAutoscaler, Scale
from k8slab.api.core import Pod
from k8slab.api.errors import ApiError
from k8slab.api.labels import Selector, parse
from k8slab.api.meta import Object, timestamp
from k8slab.api.metrics import PodMetrics
from k8slab.api.scheme import KINDS, defined
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import decide, work
from k8slab.control_plane.controllers.podautoscaler.normalize import History
from k8slab.control_plane.controllers.podautoscaler.plan import (
    AutoscalerPlan,
    Told,
    plan,
    with_condition,
)

SYNC_PERIOD = 15.0  # s, --horizontal-pod-autoscaler-sync-period
WORKERS = 5  # --concurrent-horizontal-pod-autoscaler-syncs


class HorizontalController:
    """The loop: every 15 s, compare what is used with what was aimed at."""

    component = "horizontal-pod-autoscaler"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._autoscalers = informers.informer(HorizontalPodAutoscaler)
        self._pods = informers.informer(Pod)
        self._definitions = informers.informer(CustomResourceDefinition)
        self._queue = WorkQueue(self._sim, self.component)
        self._history: dict[str, History] = {}
        self._selectors: dict[str, Selector] = {}  # of the Pods that each autoscaler is about

    async def run(self) -> None:
        """Scale for ever."""
        self._pods.add_index("namespace", lambda pod: (pod.metadata.namespace,))
        self._autoscalers.add_handler(self._on_autoscaler)
        for informer in (self._autoscalers, self._pods):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_autoscaler(
        self, old: HorizontalPodAutoscaler | None, new: HorizontalPodAutoscaler | None
    ) -> None:
        if new is not None:
            self._queue.add_after(key_of(new), SYNC_PERIOD)
        elif old is not None:
            self._history.pop(key_of(old), None)
            self._selectors.pop(key_of(old), None)

    async def _sync(self, key: str) -> None:
        hpa = self._autoscalers.by_key(key)
        if hpa is None:
            return
        try:
            await self._reconcile(key, hpa)
        finally:
            self._queue.add_after(key, SYNC_PERIOD)

    # -- one look

    async def _reconcile(self, key: str, hpa: HorizontalPodAutoscaler) -> None:
        try:
            kind, scale = await self._scale_of(hpa)
        except _NoScaleError as error:
            text = f"the HPA controller was unable to get the target's current scale: {error}"
            self._recorder.event(hpa, "Warning", "FailedGetScale", str(error))
            failed = with_condition(
                hpa, "AbleToScale", "False", ("FailedGetScale", text), self._sim.now
            )
            await self._write_status(hpa, failed)
            return
        pods, rivals = self._pods_of(key, hpa, scale)
        told = await self._metrics(hpa, scale)
        history = self._history.get(key, History())
        result = plan(hpa, scale, pods, told, history=history, now=self._sim.now, rivals=rivals)
        self._history[key] = result.history
        for type_, reason, message in result.events:
            self._recorder.event(hpa, type_, reason, message)
        if result.replicas != scale.spec.replicas:
            result = await self._rescale(hpa, kind, scale, result)
        await self._write_status(hpa, result.hpa)

    async def _scale_of(self, hpa: HorizontalPodAutoscaler) -> tuple[type[Object], Scale]:
        target = hpa.spec.scaleTargetRef
        group, _, _ = target.apiVersion.rpartition("/")
        known = (*KINDS, *defined(self._definitions.all()))
        kind = next((k.type for k in known if (k.group, k.kind) == (group, target.kind)), None)
        if kind is None:
            raise _NoScaleError(f'no matches for kind "{target.kind}" in group "{group}"')
        try:
            scale = await self._client.call(
                "get",
                kind,
                namespace=hpa.metadata.namespace,
                name=target.name,
                subresource="scale",
            )
        except ApiError as error:
            raise _NoScaleError(str(error)) from None
        return kind, scale

    def _pods_of(
        self, key: str, hpa: HorizontalPodAutoscaler, scale: Scale
    ) -> tuple[list[Pod], list[str]]:
        """Return the Pods in question, and the autoscalers that want to decide on them."""
        namespace = hpa.metadata.namespace
        all_pods = self._pods.by_index("namespace", namespace)
        if not scale.status.selector:
            return [], []
        selector = self._selectors[key] = parse(scale.status.selector)
        pods = [pod for pod in all_pods if selector.matches(pod.metadata.labels)]
        rivals = [
            other
            for other, wanted in sorted(self._selectors.items())
            if other.startswith(f"{namespace}/")
            and any(wanted.matches(pod.metadata.labels) for pod in pods)
        ]
        return pods, rivals

    async def _metrics(self, hpa: HorizontalPodAutoscaler, scale: Scale) -> Told:
        if not any(m.resource or m.containerResource for m in hpa.spec.metrics):
            return ()
        try:
            listing = await self._client.list(
                PodMetrics, hpa.metadata.namespace, labels=scale.status.selector
            )
        except ApiError as error:
            known = error.status.details
            named = known is not None and known.name
            return str(error) if named else f"{error} (get pods.metrics.k8s.io)"
        return listing.items

    # -- writing

    async def _rescale(
        self,
        before: HorizontalPodAutoscaler,
        kind: type[Object],
        scale: Scale,
        result: AutoscalerPlan,
    ) -> AutoscalerPlan:
        hpa, now = result.hpa, self._sim.now
        size = f"New size: {result.replicas}; reason: {result.reason}"
        decide(self._sim, self.component, hpa, size)
        body = replace(scale, spec=replace(scale.spec, replicas=result.replicas))
        meta = scale.metadata
        try:
            await self._client.call(
                "update",
                kind,
                namespace=meta.namespace,
                name=meta.name,
                subresource="scale",
                body=body,
            )
        except ApiError as error:
            self._recorder.event(hpa, "Warning", "FailedRescale", f"{size}; error: {error}")
            text = f"the HPA controller was unable to update the target scale: {error}"
            hpa = with_condition(hpa, "AbleToScale", "False", ("FailedUpdateScale", text), now)
            status = replace(hpa.status, desiredReplicas=before.status.desiredReplicas)
            return replace(result, hpa=replace(hpa, status=status))
        text = f"the HPA controller was able to update the target scale to {result.replicas}"
        hpa = with_condition(hpa, "AbleToScale", "True", ("SucceededRescale", text), now)
        self._recorder.event(hpa, "Normal", "SuccessfulRescale", size)
        if hpa.spec.behavior is not None:
            history = result.history.scaled(now, scale.spec.replicas, result.replicas)
            self._history[key_of(hpa)] = history
        return replace(
            result, hpa=replace(hpa, status=replace(hpa.status, lastScaleTime=timestamp(now)))
        )

    async def _write_status(
        self, old: HorizontalPodAutoscaler, new: HorizontalPodAutoscaler
    ) -> None:
        if new.status != old.status:
            await self._client.update_status(new)


class _NoScaleError(Exception):
    """The target has no scale, or there is no target; in the words of whoever said so."""
