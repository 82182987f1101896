"""What a report says in sentences, the same in every format. Nothing here is escaped: that is the format's part."""
