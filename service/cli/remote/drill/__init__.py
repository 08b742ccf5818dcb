"""`tocsin drill`: a rehearsal of the way from a poll to the channels' answers, hop by hop."""
