"""What others build on, made from the code: JSON Schemas, the OpenAPI document, pages of settings and limits."""
