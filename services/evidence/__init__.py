"""Evidence for others: signed tree heads over all histories, bundles that verify offline."""
