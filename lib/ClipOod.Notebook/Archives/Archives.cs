using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;

namespace ClipOod.Notebook;

/// <summary>Unpacks zip, tar, tar.gz and gz files; the content tells which, whatever the file's ending.</summary>
/// <remarks>
/// Nothing in an archive is trusted: names stay within the folder, links, devices and encrypted files are refused, and what comes out is limited
/// (<see cref="ArchiveLimits"/>). An archive's own hash is for the caller to check.
/// </remarks>
internal static class Archives
{
    private const int TarBlock = 512;

    // Header, two bytes of deflate for nothing, checksum and length.
    private const int ShortestGzip = 20;

    // What headers may take beside the files.
    private const long HeaderRoom = 1L << 30;

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Unpacks an archive. Its files appear in the folder at the end, by renaming: a process that is killed leaves a folder "NAME.unpacking"
    /// beside it, which the next call for the same folder clears; calls of several processes wait for each other (NAME.unpacking.lock).
    /// </summary>
    /// <param name="file">The archive.</param>
    /// <param name="folder">Where its top files and folders come to lie; made where there is none. What is there already stays, and none of it is replaced.</param>
    /// <param name="limits">How much may come out; the defaults suit data sets of images.</param>
    /// <param name="progress">Told how many bytes of the archive are done.</param>
    /// <param name="cancellation">Stops it; nothing is left.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is truncated, corrupt, no such archive, or refused; the message names it and says why. Nothing is left in the folder.</exception>
    /// <exception cref="IOException">The disk is full or cannot be written to, or the folder has a file or folder of the same name already.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static void Unpack(string file, string folder, ArchiveLimits? limits = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"There is no archive '{file}'.", file);
        }

        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string temporary = $"{target}.unpacking";
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        using FileStream theLock = Lock($"{temporary}.lock", cancellation);
        try
        {
            DeleteFolder(temporary);
            Directory.CreateDirectory(temporary);
            using (FileStream stream = File.OpenRead(file))
            {
                ArchiveEntries entries = new(temporary, stream.Length, limits ?? new(), OperatingSystem.IsWindows());
                try
                {
                    Unpack(stream, Path.GetFileName(file), entries, limits ?? new(), progress, cancellation);
                    if (entries.Files == 0)
                    {
                        throw new InvalidDataException("holds no file");
                    }
                }
                catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException or NotSupportedException)
                {
                    throw new InvalidDataException($"{file}: {error.Message.TrimEnd('.')}. Nothing of it was unpacked: check where it came from, and fetch it again.", error);
                }
            }

            Move(temporary, target);
        }
        finally
        {
            DeleteFolder(temporary);
        }
    }

    private static void Unpack(FileStream stream, string name, ArchiveEntries entries, ArchiveLimits limits, IProgress<long>? progress, CancellationToken cancellation)
    {
        byte[] begin = ReadBegin(stream);
        if (begin is [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'P', (byte)'K', 5, 6, ..])
        {
            UnpackZip(stream, entries, progress, cancellation);
        }
        else if (IsTar(begin))
        {
            UnpackTar(stream, stream, entries, progress, cancellation);
        }
        else if (begin is [0x1F, 0x8B, ..])
        {
            byte[] inside;
            using (GZipStream peek = new(stream, CompressionMode.Decompress, leaveOpen: true))
            {
                inside = ReadBegin(peek);
            }

            stream.Position = 0;
            using GZipStream gzip = new(stream, CompressionMode.Decompress, leaveOpen: true);
            LimitedStream inflated = new(gzip, limits.Most(stream.Length) + HeaderRoom);
            if (IsTar(inside))
            {
                UnpackTar(inflated, stream, entries, progress, cancellation);
            }
            else
            {
                entries.AddFile(name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : $"{name}.unpacked", -1, inflated, crc: null, cancellation);
            }

            RequireWhole(inflated, stream);
        }
        else
        {
            throw new InvalidDataException($"begins with {(begin.Length == 0 ? "nothing" : Convert.ToHexString(begin.AsSpan(0, Math.Min(8, begin.Length))))}, expected a zip, tar, tar.gz or gz file");
        }
    }

    private static void UnpackZip(FileStream stream, ArchiveEntries entries, IProgress<long>? progress, CancellationToken cancellation)
    {
        // The upper half of the attributes is Unix's mode: its type is none, a file or a folder.
        const int TypeMask = 0xF000, RegularFile = 0x8000, Folder = 0x4000;
        using ZipArchive zip = new(stream, ZipArchiveMode.Read, leaveOpen: true);
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            cancellation.ThrowIfCancellationRequested();
            int type = (entry.ExternalAttributes >> 16) & TypeMask;
            if (type is not (0 or RegularFile or Folder))
            {
                throw Refused(entry.FullName, "a link or device");
            }

            if (entry.IsEncrypted)
            {
                throw Refused(entry.FullName, "encrypted");
            }

            if (entry.FullName.EndsWith('/') || entry.FullName.EndsWith('\\'))
            {
                entries.AddFolder(entry.FullName);
                continue;
            }

            using Stream content = entry.Open();
            entries.AddFile(entry.FullName, entry.Length, content, entry.Crc32, cancellation);
            progress?.Report(stream.Position);
        }
    }

    private static void UnpackTar(Stream tar, FileStream stream, ArchiveEntries entries, IProgress<long>? progress, CancellationToken cancellation)
    {
        using TarReader reader = new(tar, leaveOpen: true);
        while (reader.GetNextEntry() is { } entry)
        {
            cancellation.ThrowIfCancellationRequested();
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    entries.AddFile(entry.Name, entry.Length, entry.DataStream, crc: null, cancellation);
                    break;
                case TarEntryType.Directory:
                    entries.AddFolder(entry.Name);
                    break;
                case TarEntryType.GlobalExtendedAttributes:
                    break;
                default:
                    throw Refused(entry.Name, $"a {entry.EntryType}");
            }

            progress?.Report(stream.Position);
        }
    }

    /// <summary>Compares what came out of a gzip file with the length that is written at its end (RFC 1952): .NET takes one that ends early.</summary>
    private static void RequireWhole(LimitedStream inflated, FileStream stream)
    {
        // A tar ends before its stream does.
        inflated.CopyTo(Stream.Null);
        Span<byte> length = stackalloc byte[sizeof(uint)];
        stream.Position = Math.Max(0, stream.Length - length.Length);
        stream.ReadExactly(length);
        if (stream.Length < ShortestGzip || BinaryPrimitives.ReadUInt32LittleEndian(length) != (uint)inflated.Position)
        {
            throw new InvalidDataException(FormattableString.Invariant($"has {inflated.Position} bytes inside, and says another number at its end: it is truncated, or several gzip files in one"));
        }
    }

    private static InvalidDataException Refused(string name, string what) =>
        new($"has an entry '{new string([.. name.Take(100).Select(c => char.IsControl(c) ? '?' : c)])}' that is {what}, expected files and folders");

    private static byte[] ReadBegin(Stream stream)
    {
        byte[] begin = new byte[TarBlock];
        int length = stream.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
        if (stream.CanSeek)
        {
            stream.Position = 0;
        }

        return begin[..length];
    }

    /// <summary>Whether a block is the header of a tar entry: the sum of its bytes, those of the sum itself as spaces, is written in it.</summary>
    private static bool IsTar(byte[] block)
    {
        if (block.Length < TarBlock)
        {
            return false;
        }

        int sum = block.Select((value, at) => at is >= 148 and < 156 ? (byte)' ' : value).Sum(value => value);
        string written = new([.. block[148..156].Select(value => (char)value).SkipWhile(c => c == ' ').TakeWhile(c => c is >= '0' and <= '7')]);
        return written.Length > 0 && Convert.ToInt32(written, 8) == sum;
    }

    /// <summary>Puts what was unpacked into its place, a whole folder where there is none yet.</summary>
    private static void Move(string from, string to)
    {
        if (!Directory.Exists(to))
        {
            Directory.Move(from, to);
            return;
        }

        string[] entries = [.. Directory.GetFileSystemEntries(from).Order(StringComparer.Ordinal)];
        if (entries.Select(entry => Path.Combine(to, Path.GetFileName(entry))).FirstOrDefault(Path.Exists) is { } taken)
        {
            throw new IOException($"There is a '{taken}' already, which the archive has too. Remove it, or unpack elsewhere.");
        }

        foreach (string entry in entries)
        {
            Directory.Move(entry, Path.Combine(to, Path.GetFileName(entry)));
        }
    }

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    // The operating system frees the lock when its process ends, in whichever way.
    private static FileStream Lock(string path, CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (error is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                Thread.Sleep(_pause);
            }
        }
    }

    /// <summary>Reads up to a limit, so that headers and what is passed over are limited too.</summary>
    private sealed class LimitedStream(Stream stream, long limit) : Stream
    {
        private long _left = limit;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => limit - _left;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            int read = stream.Read(buffer);
            return (_left -= read) >= 0 ? read : throw new InvalidDataException($"would become more than {limit} bytes, the limit for an archive of its size");
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }
    }
}
