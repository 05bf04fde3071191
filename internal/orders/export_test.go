package orders

import "context"

// ClaimOne claims the next attempt as a dispatcher does, and leaves it there.
func (s *Service) ClaimOne(ctx context.Context) (bool, error) {
	c, err := s.claim(ctx, allQueued)
	return c.attempt != nil, err
}
