package photos

import "context"

func (s *Service) process(ctx context.Context, j processPicture) error { return nil }
func (s *Service) expand(ctx context.Context, j expandZip) error       { return nil }
