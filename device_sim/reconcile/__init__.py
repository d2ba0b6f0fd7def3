"""What a run sent against what the gateway stored, judged and told: asked by HTTP, compared, reported."""
