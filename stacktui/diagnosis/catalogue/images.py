"""What `az` says of VM images and of their aliases (PROTOCOL.md section 7).

A check does not create machines, so that no rule finds these: only az's message shows them. It was
taken from az 2.66.2.
"""

from __future__ import annotations

from stacktui.diagnosis.fault import FaultInfo, Group
from stacktui.diagnosis.finding import Side
from stacktui.diagnosis.message_pattern import MessagePattern
from stacktui.diagnosis.remedies import setting
from stacktui.diagnosis.remedy_template import by_az, for_both

_COMPARE = for_both(
    "See the aliases, and the URN of each image that the stamp has: use that URN in their place",
    "stacktui environments aliases --check{environment}",
)
_READ = for_both(
    "See whether the document can be fetched, and each thing in it that az cannot read",
    "stacktui environments aliases{environment}",
)
_WRITE = for_both(
    "Write a document of the images that the stamp has, and see the commands that host it",
    "stacktui environments aliases --check --sample aliases.json{environment}",
)
_SET = setting("Set the URL of the document", "vm_image_aliases", "URL")
_EXPORT = for_both("Give az the same URL", "stacktui environments export --format az{environment}")
_LIST = by_az(
    "List the images of the stamp, with their URNs",
    "az vm image list --all --location {location} --output table",
    location="REGION",
)

IMAGE_ALIAS_UNKNOWN = FaultInfo(
    id="image-alias-unknown",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="az does not know the name of an image: no alias in its document has it.",
    distinguishing_evidence=(
        "az looks a name without colons up in the document of aliases, then among the images of "
        "your group; it lists the aliases that it has. If these are of public Azure, az could not "
        "fetch the document, and uses the list that it has built in: `image-aliases-built-in`."
    ),
    az_says=(
        'Invalid image "…". Use a valid image URN, custom image name, custom image id, VHD blob '
        "URI, or pick an image from […]"
    ),
    patterns={
        MessagePattern("az knows no image of this name", r"use a valid image urn"): 94,
    },
    remedies=(_COMPARE, _LIST, _WRITE),
)
IMAGE_ALIASES_BUILT_IN = FaultInfo(
    id="image-aliases-built-in",
    group=Group.ADVISORY,
    sides=(Side.BOX, Side.STAMP),
    meaning="az uses its built-in list of images: it has no document, or cannot get it.",
    distinguishing_evidence=(
        "az only warns, and goes on with images of public Azure, most of which a stamp does not "
        "have: then its command fails with `image-alias-unknown` or `image-not-offered`. A "
        "document that came, but is wrong, is `image-aliases-unreadable`."
    ),
    az_says=(
        "Failed to retrieve image alias doc '…'. Error: '…'. Use local copy instead; or "
        "'endpoint_vm_image_alias_doc' isn't configured"
    ),
    patterns={
        MessagePattern(
            "az could not fetch the document of aliases", r"failed to retrieve image alias doc"
        ): 96,
        MessagePattern(
            "az has no document of aliases", r"endpoint_vm_image_alias_doc' isn't configured"
        ): 96,
    },
    remedies=(_READ, _SET, _EXPORT),
)
IMAGE_ALIASES_UNREADABLE = FaultInfo(
    id="image-aliases-unreadable",
    group=Group.ADVISORY,
    sides=(Side.STAMP,),
    meaning="az cannot read the document of VM image aliases.",
    distinguishing_evidence=(
        "It was fetched. An alias lacks a field that az needs (often architecture, which older "
        "documents do not have) or has one that is no text (a version of null, or a number), or it "
        "is no JSON, or starts with a byte-order mark. All aliases fail then, not only that one: "
        "`image-alias-unknown` is about one name."
    ),
    az_says=(
        "Could not retrieve image list from … or local copy; or sequence item 3: expected str "
        "instance, NoneType found; or a traceback of the JSON parser"
    ),
    patterns={
        MessagePattern(
            "an alias in the document lacks a field", r"could not retrieve image list from"
        ): 96,
        MessagePattern(
            "a part of an image in the document is no text",
            r"sequence item [0-3]: expected str instance",
        ): 96,
        MessagePattern(
            "az failed in reading the document of aliases", r"in load_images_from_aliases_doc"
        ): 96,
    },
    remedies=(_READ, _WRITE),
)
IMAGE_NOT_OFFERED = FaultInfo(
    id="image-not-offered",
    group=Group.ADVISORY,
    sides=(Side.STAMP,),
    meaning="The stamp does not have the image that the URN or the alias names.",
    distinguishing_evidence=(
        "The name was read, and the stamp has no such publisher, offer, SKU or version. Its "
        "operator offers images in the marketplace; those of public Azure may lack. A name that az "
        "itself does not know is `image-alias-unknown`."
    ),
    az_says=(
        "Querying the image of '…' failed for an error '(NotFound) Artifact: … was not found; or "
        "PlatformImageNotFound"
    ),
    patterns={
        MessagePattern(
            "the stamp does not have the image",
            r"querying the image of '|os base image not available|vm images are missing"
            r"|artifact: ?vmimage was not found",
        ): 90,
        MessagePattern("PlatformImageNotFound", r"platformimagenotfound"): 95,
    },
    remedies=(_COMPARE, _LIST),
)
# The document before what follows from it.
IMAGES: tuple[FaultInfo, ...] = (
    IMAGE_ALIASES_UNREADABLE,
    IMAGE_ALIASES_BUILT_IN,
    IMAGE_ALIAS_UNKNOWN,
    IMAGE_NOT_OFFERED,
)
