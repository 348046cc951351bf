"""A logical host under cluster software: the model of resources, one folder a product, the OCF agent."""
