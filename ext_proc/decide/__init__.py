"""Who answers a request: checked, filtered and routed before its first attempt. Knows no transport."""
