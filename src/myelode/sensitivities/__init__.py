"""How much each input moves an endpoint: designs of ours, analysed by SALib."""
