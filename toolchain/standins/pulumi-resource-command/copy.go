package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"agent-fleet/toolchain/standins/internal/plugin"

	"github.com/pkg/sftp"
)

// remote.CopyToRemote: files over SFTP. No mode, no owner, no delete.
var copyToRemote = plugin.Resource{
	Inputs: []plugin.Field{
		connectionField,
		{Name: "triggers", Type: plugin.List, Replaces: true},
		{Name: "source", Type: plugin.Asset, Required: true},
		{Name: "remotePath", Type: plugin.String, Required: true},
	},
	Rules: func(inputs plugin.Properties) []plugin.Failure {
		source := plugin.SourceOf(inputs["source"])
		switch {
		case source == nil:
			// Of an unknown one too: the official plugin takes it for one that was left out.
			return []plugin.Failure{{Property: "asset", Reason: "either asset or archive must be set"}}
		case source.Path != "":
			return nil
		case source.Archive:
			return []plugin.Failure{{Property: "archive", Reason: "archive must be a path to a file or directory"}}
		case source.Text == nil:
			return []plugin.Failure{{Property: "asset", Reason: "asset must be a path-based file asset or a text asset"}}
		}
		return nil
	},
	Create: func(ctx context.Context, inputs plugin.Properties, call plugin.Call) (string, plugin.Properties, error) {
		return uniqueID(""), nil, copyFiles(ctx, inputs, call)
	},
	Update: func(ctx context.Context, olds, news plugin.Properties, call plugin.Call) (plugin.Properties, error) {
		// Neither a new connection nor a moved file is a reason to copy the same content again.
		before, after := plugin.SourceOf(olds["source"]), plugin.SourceOf(news["source"])
		if before != nil && before.Hash == after.Hash && olds["remotePath"] == news["remotePath"] {
			return nil, nil
		}
		return nil, copyFiles(ctx, news, call)
	},
}

func copyFiles(ctx context.Context, inputs plugin.Properties, call plugin.Call) error {
	client, err := dial(ctx, inputs, call)
	if err != nil {
		return err
	}
	defer client.Close()
	// Waiting for an answer to each 32 KiB would make an upload as slow as the way is long.
	files, err := sftp.NewClient(client, sftp.UseConcurrentWrites(true))
	if err != nil {
		return err
	}
	defer files.Close()
	remotePath, _ := plugin.Text(inputs, "remotePath")
	return remote{files}.send(plugin.SourceOf(inputs["source"]), remotePath)
}

type remote struct{ *sftp.Client }

// source | destination is a folder | does not exist   | is a file
// dir    | destination/dir         | destination/dir  | error
// dir/   | destination/*           | destination/*    | error
// file   | destination/file        | destination      | overwritten
func (r remote) send(source *plugin.Source, to string) error {
	there, err := r.kind(to)
	if err != nil {
		return err
	}
	if source.Path == "" {
		if there == folder {
			return fmt.Errorf(
				"remote path %s is a directory; when using a text asset, remotePath must be a file path", to)
		}
		return r.write(strings.NewReader(*source.Text), to)
	}
	name := filepath.Base(source.Path)
	if isFolder, err := isFolder(source.Path); err != nil {
		return err
	} else if !isFolder {
		if there == folder {
			to = path.Join(to, name)
		}
		return r.put(source.Path, to)
	}
	if err := r.folder(to, there); err != nil {
		return err
	}
	if strings.HasSuffix(source.Path, "/") {
		return r.sendFolder(source.Path, to)
	}
	return r.sendInto(source.Path, path.Join(to, name))
}

func (r remote) sendInto(from, to string) error {
	there, err := r.kind(to)
	if err != nil {
		return err
	}
	if err := r.folder(to, there); err != nil {
		return err
	}
	return r.sendFolder(from, to)
}

func (r remote) sendFolder(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		here, there := filepath.Join(from, entry.Name()), path.Join(to, entry.Name())
		isFolder, err := isFolder(here)
		if err != nil {
			return err
		}
		send := r.put
		if isFolder {
			send = r.sendInto
		}
		if err := send(here, there); err != nil {
			return err
		}
	}
	return nil
}

func isFolder(path string) (bool, error) {
	opened, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	return err == nil && info.IsDir(), err
}

type kind int

const (
	nothing kind = iota
	file
	folder
)

func (r remote) kind(of string) (kind, error) {
	info, err := r.Stat(of)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nothing, nil
	case err != nil:
		return nothing, fmt.Errorf("failed to stat remote path %s: %w", of, err)
	case info.IsDir():
		return folder, nil
	}
	return file, nil
}

func (r remote) folder(at string, there kind) error {
	switch there {
	case file:
		return fmt.Errorf("remote path %s exists but is not a directory", at)
	case nothing:
		if err := r.Mkdir(at); err != nil {
			return fmt.Errorf("failed to create remote directory %s: %w", at, err)
		}
	}
	return nil
}

func (r remote) put(from, to string) error {
	content, err := os.Open(from)
	if err != nil {
		return err
	}
	defer content.Close()
	return r.write(content, to)
}

func (r remote) write(content io.Reader, to string) error {
	created, err := r.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("failed to create remote file %s: %w", to, err)
	}
	if _, err := created.ReadFrom(content); err != nil {
		created.Close()
		return fmt.Errorf("failed to create remote file %s: %w", to, err)
	}
	// Some servers tell only now that the disk is full.
	if err := created.Close(); err != nil {
		return fmt.Errorf("failed to create remote file %s: %w", to, err)
	}
	return nil
}
