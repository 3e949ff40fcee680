enum PlaceholderRules {}
