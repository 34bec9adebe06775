"""The two HTTP listeners: customers' pages in public, departments' API and health in private."""
