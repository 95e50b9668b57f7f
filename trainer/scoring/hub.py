"""Where the files of a model lie; those of the Hugging Face hub are fetched first.

What the hub's cache holds is taken as it is: a revision is looked up once, and from then on nothing
is asked of a network. So a run that goes on, a worker and a machine without a network all read the
same files. Only what a language model needs is fetched, and never a pickle, which can run code.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from weighting.errors import AssayError, MayPass
from weighting.signals.model_names import ModelKind, ModelName

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"  # of parameters in several files
# One of these makes a tokenizer; the first as it is, the others by conversion.
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt")
SMALL = (CONFIG, INDEX, *TOKENIZERS, *SETTINGS)
LARGE = ("model*.safetensors",)
EXTRA = "pip install 'assay[hf]'"
LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


class Located(NamedTuple):
    """The folder of a model's files, and of the hub's the commit."""

    folder: Path
    commit: str | None = None


def locate(name: ModelName, parameters: bool = True) -> Located:
    """Return where a model's files lie; without `parameters`, those of the hub may be missing.

    Raises:
        AssayError: the hub has no such model or revision, or does not give it to this user.
        MayPass: the hub cannot be reached, or there is no room for the files.
    """
    if name.kind is not ModelKind.HUB:
        path = Path(name.place)
        return Located(path.parent if name.kind is ModelKind.GGUF else path)
    check_installed(name)
    folder = _find_cached(name, parameters) or _fetch(name, parameters)
    return Located(folder, folder.name)


def check_installed(name: ModelName) -> None:
    """Raise AssayError where a library is missing that loads such a model."""
    wanted = ["transformers"]
    wanted += {ModelKind.GGUF: ["gguf"], ModelKind.HUB: ["huggingface_hub"]}.get(name.kind, [])
    for library in wanted:
        if find_spec(library) is None:
            raise AssayError(f"{name}: {library} loads it, which is not installed; {EXTRA}")


def list_shards(folder: Path) -> list[str]:
    """Return the names of the files of a folder that hold its parameters, there or not.

    Raises:
        AssayError: the index cannot be read.
    """
    if not (folder / INDEX).is_file():
        return [WEIGHTS]
    return sorted(set(read_object(folder / INDEX).get("weight_map", {}).values()))


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object of a file.

    Raises:
        AssayError: it holds none.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AssayError(f"{path}: cannot be read as JSON ({error}); fetch it again") from None
    if not isinstance(content, dict):
        raise AssayError(f"{path}: holds no object; fetch it again")
    return content


def _find_cached(name: ModelName, parameters: bool) -> Path | None:
    """Return the folder of the cache that has all of a model's files, None where one is missing.

    A download that was broken off leaves some of them.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        found = snapshot_download(
            name.place,
            revision=name.revision,
            allow_patterns=[*SMALL, *(LARGE if parameters else ())],
            local_files_only=True,
        )
    except HFValidationError as error:
        raise AssayError(f"{name}: no name of a model of the hub: {_cut(error)}") from None
    except LocalEntryNotFoundError:
        return None
    folder = Path(found)
    wanted = [CONFIG, *(list_shards(folder) if parameters else ())]
    return folder if all((folder / file).is_file() for file in wanted) else None


def _fetch(name: ModelName, parameters: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = [*SMALL, *(LARGE if parameters else ())]
    try:
        return Path(snapshot_download(name.place, revision=name.revision, allow_patterns=patterns))
    except LocalEntryNotFoundError as error:  # it is an HTTPError as well
        raise _explain_unreached(name, error) from None
    except HfHubHTTPError as error:
        raise _explain_refusal(name, error) from None
    except OSError as error:
        if error.errno is not None and error.filename is not None:
            why = f"cannot be written to {_find_cache()}: {error.strerror}"
            raise MayPass(f"{name}: {why}; make room, or set HF_HOME") from None
        raise _explain_break(name, error) from None
    except Exception as error:  # the libraries beneath it have errors of their own
        raise _explain_break(name, error) from None


def _explain_break(name: ModelName, error: Exception) -> AssayError:
    return MayPass(f"{name}: the hub broke off ({_cut(error)}); run the command again")


def _explain_unreached(name: ModelName, error: Exception) -> AssayError:
    """Return what is said where the hub was not asked, or gave no answer."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error.__cause__, HfHubHTTPError):
        return _explain_refusal(name, error.__cause__)
    missing = f"and it is not in the cache, {_find_cache()}"
    if isinstance(error.__cause__, OfflineModeIsEnabled) or constants.HF_HUB_OFFLINE:
        return AssayError(
            f"{name}: HF_HUB_OFFLINE is set {missing}; unset it, or copy the model here and name "
            "its folder"
        )
    reason = f" ({_cut(error.__cause__)})" if error.__cause__ else ""
    return MayPass(
        f"{name}: the hub at {constants.ENDPOINT} gives no answer{reason}, {missing}; fetch it "
        "where there is a network, and name its folder"
    )


def _explain_refusal(name: ModelName, error: Any) -> AssayError:  # noqa: ANN401 - HfHubHTTPError
    """Return what is said where the hub's answer is that it does not give a model."""
    from huggingface_hub.errors import (
        DisabledRepoError,
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    match error:
        case GatedRepoError():
            why = f"its owner asks for consent: give it at https://huggingface.co/{name.place}"
            return AssayError(f"{name}: {why}, then {LOGIN}")
        case RevisionNotFoundError():
            return AssayError(f"{name}: {name.place} has no revision {name.revision} on the hub")
        case RepositoryNotFoundError():
            return AssayError(f"{name}: not on the hub, or private; if it is, {LOGIN}")
        case DisabledRepoError():
            return AssayError(f"{name}: the hub gives it to nobody any more")
    status = error.response.status_code
    if status in (401, 403):
        return AssayError(f"{name}: the hub refuses the token ({status}); {LOGIN}")
    return MayPass(f"{name}: the hub answers with {status}; run the command again")


def _find_cache() -> str:
    from huggingface_hub import constants

    return os.path.expanduser(constants.HF_HUB_CACHE)  # noqa: PTH111 - theirs is a text


def _cut(error: BaseException | None) -> str:
    """Return the first line of a message."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
