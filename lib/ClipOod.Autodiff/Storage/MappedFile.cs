using System.Buffers;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace ClipOod.Autodiff;

/// <summary>A file mapped into memory for reading. Callers check offsets against <see cref="Length"/>.</summary>
internal sealed class MappedFile : IDisposable
{
    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile? _mapping;
    private readonly MemoryMappedViewAccessor? _view;
    private bool _disposed;

    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public MappedFile(string path)
    {
        Path = path;
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"There is no file '{path}'. Check the path, or make the file first.", path);
        }

        _handle = File.OpenHandle(path);
        Length = RandomAccess.GetLength(_handle);

        // Nothing can be mapped of an empty file.
        if (Length > 0)
        {
            _mapping = MemoryMappedFile.CreateFromFile(_handle, mapName: null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            _view = _mapping.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        }
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Bytes where they lie in the mapping.</summary>
    public unsafe ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (offset < 0 || length < 0 || offset > Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{length} bytes do not lie within the {Length} of {Path}.");
        }

        if (_view is null)
        {
            return [];
        }

        byte* pointer = null;
        // The reference is given back at once: the view itself, closed by Dispose only, keeps the pointer valid.
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        return new ReadOnlySpan<byte>(pointer + _view.PointerOffset + offset, length);
    }

    /// <summary>Reads past the mapping, whose pages would stay in memory beside the copy.</summary>
    public void Read(long offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(_handle, destination, offset);
            if (read == 0)
            {
                throw new InvalidDataException($"{Path}: ended while it was read. The file is truncated: fetch or make it again.");
            }

            destination = destination[read..];
            offset += read;
        }
    }

    /// <summary>Single-precision values where they lie in the mapping.</summary>
    public ReadOnlyMemory<float> Map(long offset, int count) => new MappedSingles(this, offset, count).Memory;

    public void Dispose()
    {
        _disposed = true;
        _view?.Dispose();
        _mapping?.Dispose();
        _handle.Dispose();
    }

    private sealed class MappedSingles(MappedFile file, long offset, int count) : MemoryManager<float>
    {
        // The mapping is of read access only: this span is handed out as read-only memory alone.
        public override unsafe Span<float> GetSpan()
        {
            fixed (byte* pointer = file.Slice(offset, count * sizeof(float)))
            {
                return new Span<float>(pointer, count);
            }
        }

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            fixed (byte* pointer = file.Slice(offset, count * sizeof(float)))
            {
                return new MemoryHandle((float*)pointer + elementIndex);
            }
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
