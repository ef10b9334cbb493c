# stacktui 0.1.0, 2026-11-30T09:22:56Z: requests, without their secrets and answers
# az rest gets its token itself, and trusts the bundle in REQUESTS_CA_BUNDLE; for curl:
# TOKEN=$(az account get-access-token --resource AUDIENCE --query accessToken -o tsv)
