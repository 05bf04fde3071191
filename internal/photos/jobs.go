package photos

import (
	"runtime"

	"github.com/riverqueue/river"

	"huizhi/internal/jobs"
)

// The queues. Unpacking waits for the disk and has its own, so that a large ZIP
// does not hold up the pictures that came before it.
const (
	queuePictures = "pictures"
	queueArchives = "archives"
	queueRemote   = "remote"
)

// remoteReaders is how many pictures wait at a time for engines elsewhere.
const remoteReaders = 8

// processPicture finds out what a stored picture is.
type processPicture struct {
	TenantID  string `json:"tenant"`
	PictureID string `json:"picture"`
	// place in its batch, known when the job is made.
	place int64
}

func (processPicture) Kind() string { return "process_picture" }

// InsertOpts lets the first pictures of a batch go before the thousandth of
// another: somebody at a counter does not wait for a school.
func (p processPicture) InsertOpts() river.InsertOpts {
	priority := 4
	for i, below := range []int64{20, 200, 1000} {
		if p.place < below {
			priority = i + 1
			break
		}
	}
	return river.InsertOpts{Queue: queuePictures, Priority: priority}
}

// readRemotely is processPicture for a picture that an engine elsewhere has to
// read: a slow one holds up nobody else.
type readRemotely struct {
	TenantID  string `json:"tenant"`
	PictureID string `json:"picture"`
}

func (readRemotely) Kind() string                 { return "read_remotely" }
func (readRemotely) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueRemote} }

// expandZip unpacks the next part of an archive.
type expandZip struct {
	TenantID string `json:"tenant"`
	UploadID string `json:"upload"`
}

func (expandZip) Kind() string                 { return "expand_zip" }
func (expandZip) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueArchives} }

// FindMarkers looks for cards among the pictures of a batch that were taken for
// nothing in particular: its roster came after them.
type FindMarkers struct {
	TenantID string `json:"tenant"`
	BatchID  string `json:"batch"`
}

// Kind names the job.
func (FindMarkers) Kind() string { return "find_markers" }

// InsertOpts puts it into the queue of what looks at pictures.
func (FindMarkers) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queuePictures} }

// Register declares the queues and what is done with their jobs.
func (s *Service) Register(q *jobs.Queue) {
	q.AddQueue(queuePictures, runtime.GOMAXPROCS(0))
	q.AddQueue(queueArchives, 1)
	q.AddQueue(queueRemote, remoteReaders)
	jobs.Handle(q, s.process)
	jobs.Handle(q, s.processRemote)
	jobs.Handle(q, s.expand)
	jobs.Handle(q, s.findMarkers)
}
