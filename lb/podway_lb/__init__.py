"""podway-lb: Services of type LoadBalancer as listeners in front of the routers."""
