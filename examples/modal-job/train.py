"""A job that is careless with its token, as jobs are."""

import os

for epoch in range(1, 4):
    print(f"epoch {epoch}: token is {os.environ['HF_TOKEN']}")
