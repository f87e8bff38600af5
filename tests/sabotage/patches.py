"""Ways to break each promise on purpose, and the test that must notice. Data only: adding one is adding a row."""

from tests.sabotage.body_patches import BODY_PATCHES
from tests.sabotage.build_patches import BUILD_PATCHES
from tests.sabotage.core_patches import CORE_PATCHES
from tests.sabotage.edge_patches import EDGE_PATCHES
from tests.sabotage.fault_patches import FAULT_PATCHES
from tests.sabotage.http1_patches import HTTP1_PATCHES
from tests.sabotage.report_patches import REPORT_PATCHES
from tests.sabotage.rest_patches import REST_PATCHES
from tests.sabotage.role_patches import ROLE_PATCHES
from tests.sabotage.shape_patches import SHAPE_PATCHES
from tests.sabotage.stream_patches import STREAM_PATCHES
from tests.sabotage.table_patches import TABLE_PATCHES
from tests.sabotage.usage_patches import USAGE_PATCHES
from tests.sabotage.verifier_patches import VERIFIER_PATCHES
from tests.sabotage.who_pays_patches import WHO_PAYS_PATCHES
from tests.sabotage.write_patches import WRITE_PATCHES

PATCHES = (
    *CORE_PATCHES,
    *BODY_PATCHES,
    *BUILD_PATCHES,
    *FAULT_PATCHES,
    *HTTP1_PATCHES,
    *EDGE_PATCHES,
    *SHAPE_PATCHES,
    *STREAM_PATCHES,
    *TABLE_PATCHES,
    *USAGE_PATCHES,
    *VERIFIER_PATCHES,
    *WHO_PAYS_PATCHES,
    *WRITE_PATCHES,
    *ROLE_PATCHES,
    *REPORT_PATCHES,
    *REST_PATCHES,
)
