"""A GPU of fake tensors: shapes and devices without memory, driver or values.

What an update or an evaluation does there is looked at operator by operator: whether a tensor of
the CPU comes in, whether something waits for the device, how many kernels are launched.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tui_latent.config.settings import Preset
from tui_latent.datasets.augmentations import color as colour
from tui_latent.datasets.augmentations import geometric as geometry
from tui_latent.datasets.image_set import Dataset, ImageSet
from tui_latent.datasets.pairing import Pairing, make_pairing
from tui_latent.methods import METHODS
from tui_latent.training.device import choose_layout
from tui_latent.training.loop import Update
from tui_latent.training.optimizers import make_optimizer

GPU = torch.device("cuda", 0)
FEATURES = {
    "hog": 144,
    "resnet18": 512,
    "resnet50": 2048,
    "timm:vit_small_patch14_dinov2.lvd142m@224": 384,
}
_WAITS = {
    "_local_scalar_dense",
    "nonzero",
    "masked_select",
    "bincount",
    "histc",
    "equal",
    "_unique2",
    "unique_dim",
    "unique_consecutive",
}
_NO_KERNEL = ("empty", "new_empty", "_unsafe_view", "sym_", "is_same_size")


class FakeGenerator(torch.Generator):
    """A generator of the CPU, as no other can be made here, that says it is the GPU's."""

    device = property(lambda self: GPU)


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts waits and kernels, and refuses operators on tensors of the CPU.

    `answering`: copies between the devices are counted among the waits, and questions about
    values are answered by anything, so that an evaluation goes on.
    """

    def __init__(self, answering: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._answering = answering
        self.waits: Counter[str] = Counter()
        self.kernels = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if func.namespace == "prim":  # a question about the tensor itself
            return func(*args, **kwargs)
        if _made_of_others(func):
            with self:  # in inference mode operators come whole: their parts are looked at
                return func.decompose(*args, **kwargs)
        waits = name in _WAITS or (name in ("index", "index_put", "index_put_") and _by_mask(args))
        if waits and _on_gpu(args):
            self.waits[name] += 1
            if not self._answering:
                raise AssertionError(f"{func} waits for the device")
            if (answer := _answer(name, args, kwargs)) is not None:
                return answer
        out = func(*args, **kwargs)
        devices = {t.device.type for t in tree_leaves((args, kwargs, out)) if _is_tensor(t)}
        if "cpu" in devices:
            if not self._answering:
                raise AssertionError(f"{func} on {sorted(devices)}")
            if devices == {"cpu", "cuda"}:
                assert name in ("_to_copy", "copy_"), f"{func} on {sorted(devices)}"
                self.waits[name] += 1
        self.kernels += _kernels(func, name, args)
        return out


def _made_of_others(func: Any) -> bool:
    """Whether an operator has no kernel of its own; one that a CPU has, a GPU has too."""
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    return has(func.name(), "CompositeImplicitAutograd") and not has(func.name(), "CPU")


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _on_gpu(args: Any) -> bool:
    return any(_is_tensor(t) and t.device.type == "cuda" for t in tree_leaves(args))


def _by_mask(args: Any) -> bool:
    """Whether an index is a mask, whose ones must be counted."""
    return any(_is_tensor(t) and t.dtype in (torch.bool, torch.uint8) for t in args[1])


def _answer(name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    first = args[0]
    if name == "_local_scalar_dense":
        return True if first.dtype is torch.bool else 0.5 if first.is_floating_point() else 0
    if name == "nonzero":
        return torch.empty(0, first.ndim, dtype=torch.int64, device=first.device)
    if name == "bincount":
        length = kwargs.get("minlength") or (args[2] if len(args) > 2 else 1)
        return torch.zeros(length, dtype=torch.int64, device=first.device)
    return None


def _kernels(func: Any, name: str, args: Any) -> int:
    """Return about how many kernels an operator launches: those of libraries count as one."""
    views = any(r.alias_info and not r.alias_info.is_write for r in func._schema.returns)
    if views or name.startswith(_NO_KERNEL) or (not _on_gpu(args) and "rand" not in name):
        return 0
    if not name.startswith("_foreach"):
        return 1
    lists = [arg for arg in args if isinstance(arg, (list, tuple)) and len(arg)]
    pairs = zip(*(lists[:2]), strict=False) if len(lists) > 1 else ()
    unlike = any(_is_tensor(b) and a.shape != b.shape for a, b in pairs)
    return len(lists[0]) if unlike else -(-len(lists[0]) // 30)


def backward_by_hand(loss: Tensor, *_: Any, **__: Any) -> None:
    """Do what `loss.backward()` does, whose engine asks the driver for each device's context."""
    assert loss.grad_fn is not None
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(loss.grad_fn, False)]
    while stack:
        node, followed = stack.pop()
        if followed:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((n, False) for n, _ in node.next_functions if n is not None)
    flowing: dict[Any, dict[int, Tensor]] = {loss.grad_fn: {0: torch.ones_like(loss)}}
    with torch.no_grad():
        for node in reversed(order):
            given = flowing.pop(node, {})
            if hasattr(node, "variable"):
                weight, gradient = node.variable, given[0]
                weight.grad = gradient if weight.grad is None else weight.grad + gradient
                continue
            inputs = [given.get(place) for place in range(len(node._input_metadata))]
            python = hasattr(node, "apply")
            if python:  # a Function's backward never sees None
                inputs = [
                    torch.zeros(m.shape, dtype=m.dtype, device=m.device) if i is None else i
                    for i, m in zip(inputs, node._input_metadata, strict=True)
                ]
            outputs = node.apply(*inputs) if python else node(*inputs)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            for output, (following, place) in zip(outputs, node.next_functions, strict=False):
                if following is None or output is None:
                    continue
                asked = following._input_metadata[place]
                if output.shape != asked.shape:  # broadcast on the way forward
                    output = output.sum_to_size(asked.shape)
                output = output.to(asked.dtype)
                arrived = flowing.setdefault(following, {})
                before = arrived.get(place)
                arrived[place] = output if before is None else before + output


@contextlib.contextmanager
def fake_gpu() -> Iterator[FakeTensorMode]:
    """A GPU that computes in bfloat16; what it needs of torch is put in place, and taken away."""
    caches = (colour._yiq_parts, geometry._bicubic)
    with contextlib.ExitStack() as stack:
        for name, value in {
            "torch.cuda.amp.common.amp_definitely_not_available": lambda: False,
            "torch.cuda.is_bf16_supported": lambda *a, **k: True,
            "torch.cuda.mem_get_info": lambda *a: (70 << 30, 80 << 30),
            "torch.cuda.memory_reserved": lambda *a: 0,
            "torch.cuda.memory_allocated": lambda *a: 0,
            "torch._fused_sgd_": lambda *a, **k: None,  # has no fake kernel
            "torch.Tensor.backward": backward_by_hand,
            "torch.random.fork_rng": lambda *a, **k: contextlib.nullcontext(),
        }.items():
            stack.enter_context(mock.patch(name, value))
        for cache in caches:
            cache.cache_clear()
            stack.callback(cache.cache_clear)  # fakes must not stay in them
        yield FakeTensorMode(allow_non_fake_inputs=True)


def on_gpu(thing: Any, mode: FakeTensorMode) -> Any:
    """Return a tensor, module, dataset or table with every tensor on the fake GPU."""
    if isinstance(thing, Tensor):
        with mode:
            return mode.from_tensor(thing).to(GPU)
    if isinstance(thing, nn.Module):
        for module in thing.modules():
            for store in (module._parameters, module._buffers):
                for name, value in store.items():
                    if value is None:
                        continue
                    there = on_gpu(value.detach(), mode)
                    if isinstance(value, nn.Parameter):
                        there = nn.Parameter(there, value.requires_grad)
                    store[name] = there
        return thing
    if is_dataclass(thing) and not isinstance(thing, type):
        names = [field.name for field in fields(thing)]
        held = {name: getattr(thing, name) for name in names}
        parts = {n: on_gpu(v, mode) for n, v in held.items() if isinstance(v, Tensor | ImageSet)}
        return replace(thing, **parts)
    parts = {n: on_gpu(v, mode) for n, v in vars(thing).items() if isinstance(v, Tensor)}
    vars(thing).update(parts)
    return thing


def made_images(preset: Preset, count: int) -> Dataset:
    """Return black images of the preset's shape, in four classes, still on the CPU."""
    colours = preset.data.source in ("cifar10", "cifar100", "stl10", "folder")
    side = preset.data.size or {"digits": 8, "folder": 64}.get(
        preset.data.source, 32 if colours else 28
    )
    width = FEATURES.get(preset.data.inputs)
    labels = torch.arange(count) % 4
    split = ImageSet(
        torch.zeros(count, 3 if colours else 1, side, side, dtype=torch.uint8),
        labels,
        tuple("abcd"),
        None if width is None else torch.zeros(count, width),
        labels,
    )
    ones = torch.ones(3 if colours else 1, 1, 1)
    return Dataset("made", split, split, ones, ones, "")


def fake_pairing(
    kind: str, preset: Preset, real: Dataset, there: Dataset, mode: FakeTensorMode
) -> Pairing:
    """Return the pairing of the training split; classes are counted on real tensors."""
    if kind == "neighbours":
        with mode:
            table = torch.zeros(len(real.train), 3, dtype=torch.int64, device=GPU)
            return make_pairing(kind, there.train, there, preset.augment, table)
    pairing = make_pairing(kind, real.train, real, preset.augment)
    classes = getattr(pairing.partners, "__self__", None)
    if classes is not None:
        on_gpu(classes, mode)
    return replace(pairing, images=there.train, dataset=there)


def update_on_fake_gpu(
    preset: Preset, stage: int, mode: FakeTensorMode, images: int = 64
) -> Update:
    """Return the update of a stage, with its networks and images on the fake GPU."""
    real = made_images(preset, images)
    method = METHODS[preset.method.name](preset.method, real.input_shape)
    for settings in preset.training_stages()[: stage + 1]:
        trainable = method.start_stage(settings)
    chosen = [name for name, p in method.named_parameters() if any(p is t for t in trainable)]
    method.train().to(memory_format=choose_layout(preset.method))
    there = on_gpu(method, mode)
    pairing = fake_pairing(method.pairing, preset, real, on_gpu(real, mode), mode)
    by_name = dict(there.named_parameters())
    trained = [by_name[name] for name in chosen]
    with mode:
        optimizer = make_optimizer(trained, preset.train)
    autocast = partial(torch.autocast, GPU.type, dtype=torch.bfloat16)
    clip = preset.train.grad_clip
    return Update(there, pairing, FakeGenerator(), trained, optimizer, autocast, clip)
