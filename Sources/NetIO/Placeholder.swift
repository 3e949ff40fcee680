enum PlaceholderNetIO {}
