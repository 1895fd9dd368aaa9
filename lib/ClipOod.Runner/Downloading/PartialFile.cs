using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace ClipOod.Runner.Downloading;

/// <summary>
/// A file on its way: <c>NAME.part</c>, which grows, and <c>NAME.part.json</c>, which says of which version of which address it is. It can be
/// left at any point, by a crash too, and taken up again. Hashes are computed while it is written, beside the writing.
/// </summary>
internal sealed class PartialFile : IAsyncDisposable
{
    private const int BlockBytes = 1 << 20;

    private readonly FileRequest _request;
    private readonly FileStream _file;
    private readonly FileProgress _progress;
    private IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private IncrementalHash? _md5;
    private byte[] _block = GC.AllocateUninitializedArray<byte>(BlockBytes);
    private byte[] _other = GC.AllocateUninitializedArray<byte>(BlockBytes);

    private PartialFile(FileRequest request, FileStream file, FileProgress progress)
    {
        (_request, _file, _progress) = (request, file, progress);
        _md5 = NewMd5();
    }

    /// <summary>Bytes that are here.</summary>
    public long Length { get; private set; }

    /// <summary>What the server called the version that they are of.</summary>
    public PartialState State { get; private set; } = PartialState.None;

    /// <summary>Opens what an earlier try left, or an empty file.</summary>
    public static async Task<PartialFile> OpenAsync(FileRequest request, FileProgress progress, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(request.Path)!);
        FileStream file = new(PathOf(request), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        PartialFile partial = new(request, file, progress);
        try
        {
            if (file.Length > 0 && ReadState(request) is PartialState state)
            {
                partial.State = state;
                await partial.AppendAsync(file, write: false, TimeSpan.MaxValue, long.MaxValue, cancellation);
            }
            else
            {
                file.SetLength(0);
            }

            return partial;
        }
        catch
        {
            await partial.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins anew, for a version of an address.</summary>
    public void Restart(PartialState state)
    {
        _file.SetLength(0);
        _sha256.Dispose();
        _md5?.Dispose();
        (_sha256, _md5) = (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), NewMd5());
        (_progress.Done, Length, State) = (0, 0, state);
        AtomicFile.Write(StatePathOf(_request), JsonSerializer.Serialize(state));
    }

    /// <summary>Appends a stream to its end.</summary>
    /// <param name="source">The bytes to append.</param>
    /// <param name="stall">The longest time without a byte.</param>
    /// <param name="upTo">Bytes that there are to be in all, at most.</param>
    /// <param name="cancellation">Leaves the file as far as it is.</param>
    /// <exception cref="DownloadException">More bytes came than that.</exception>
    /// <exception cref="IOException">The stream broke off, or nothing came for too long.</exception>
    public Task AppendAsync(Stream source, TimeSpan stall, long upTo, CancellationToken cancellation)
    {
        _file.Position = Length;
        return AppendAsync(source, write: true, stall, upTo, cancellation);
    }

    /// <summary>Compares the file with what it must be, and gives it its final name.</summary>
    /// <param name="from">Where it came from.</param>
    /// <exception cref="DownloadException">It is another file. The partial one stays, so that it can still be accepted.</exception>
    public FileReceipt Complete(string from)
    {
        string sha256 = Convert.ToHexStringLower(_sha256.GetCurrentHash());
        string? md5 = _md5 is null ? null : Convert.ToHexStringLower(_md5.GetCurrentHash());
        string? difference = _request.DifferenceOf(Length, sha256, md5)
            ?? (State.Sha256 is string said && !said.Equals(sha256, StringComparison.OrdinalIgnoreCase) ? $"its SHA-256 is {sha256}, expected {said} as the server says" : null);
        if (difference is not null && !_request.AcceptNew)
        {
            throw new DownloadException(
                $"{_request.Name}: what came from {from} is another file: {difference}. Either the publisher has changed it, or it was changed on the way: "
                + "compare with the publisher's page. To take it all the same, run the command again with --accept-new-hash.",
                isSettled: true);
        }

        _file.Flush(flushToDisk: true);
        _file.Dispose();
        File.Move(PathOf(_request), _request.Path, overwrite: true);
        File.Delete(StatePathOf(_request));
        return new FileReceipt(Length, sha256, from, difference is null && _request.HasHash);
    }

    /// <summary>Where what has come of a file lies until it is whole.</summary>
    /// <param name="path">The file.</param>
    public static string PathOf(string path) => path + ".part";

    /// <summary>Deletes what processes that were ended left beside a file: a partial one where the file is there, and what was half written of the state.</summary>
    public static void Tidy(FileRequest request)
    {
        string folder = Path.GetDirectoryName(request.Path)!;
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (string file in Directory.GetFiles(folder, Path.GetFileName(StatePathOf(request)) + ".*.tmp"))
        {
            File.Delete(file);
        }

        if (File.Exists(request.Path))
        {
            File.Delete(PathOf(request));
            File.Delete(StatePathOf(request));
        }
    }

    /// <summary>Closes the file and deletes it.</summary>
    public void Discard()
    {
        _file.Dispose();
        File.Delete(PathOf(_request));
        File.Delete(StatePathOf(_request));
    }

    public ValueTask DisposeAsync()
    {
        _sha256.Dispose();
        _md5?.Dispose();
        return _file.DisposeAsync();
    }

    // Hashing takes as long as receiving: a block is hashed while it is written and the next one comes.
    private async Task AppendAsync(Stream source, bool write, TimeSpan stall, long upTo, CancellationToken cancellation)
    {
        Task hashing = Task.CompletedTask;
        try
        {
            using CancellationTokenSource silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            while (true)
            {
                (int count, Exception? broken) = await FillAsync(source, _block, stall, silence);
                await hashing;
                if (Length + count > upTo)
                {
                    throw new DownloadException($"{_request.Name}: got more than the {upTo} bytes that the server announced. Try again later, or give a copy with --from.");
                }

                byte[] block = _block;
                hashing = Task.Run(() => Hash(block.AsSpan(0, count)), CancellationToken.None);
                if (write)
                {
                    _file.Write(block, 0, count);
                }

                (_block, _other) = (_other, _block);
                Length += count;
                _progress.Done = Length;
                if (broken is OperationCanceledException && !cancellation.IsCancellationRequested)
                {
                    throw new IOException(FormattableString.Invariant($"nothing came for {stall.TotalSeconds:0.#} s"), broken);
                }
                else if (broken is not null)
                {
                    ExceptionDispatchInfo.Throw(broken);
                }
                else if (count == 0)
                {
                    return;
                }
            }
        }
        finally
        {
            await hashing;
        }
    }

    /// <summary>Fills a block as far as bytes come; what came before a stream broke off is kept.</summary>
    private static async Task<(int Count, Exception? Broken)> FillAsync(Stream source, byte[] block, TimeSpan stall, CancellationTokenSource silence)
    {
        int count = 0;
        try
        {
            while (count < block.Length)
            {
                silence.CancelAfter(stall == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan : stall);
                int read = await source.ReadAsync(block.AsMemory(count), silence.Token);
                if (read == 0)
                {
                    break;
                }

                count += read;
            }

            return (count, null);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            return (count, e);
        }
    }

    private void Hash(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        _md5?.AppendData(bytes);
    }

    private IncrementalHash? NewMd5() => _request is { Sha256: null, Md5: not null } ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;

    private static PartialState? ReadState(FileRequest request)
    {
        try
        {
            return JsonSerializer.Deserialize<PartialState>(File.ReadAllText(StatePathOf(request)));
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            return null;
        }
    }

    private static string PathOf(FileRequest request) => PathOf(request.Path);

    private static string StatePathOf(FileRequest request) => request.Path + ".part.json";
}

/// <summary>Which version of which address a partial file is of.</summary>
/// <param name="Address">As asked for, before redirects.</param>
/// <param name="ETag">The server's name of the version; null where it gives none that can be relied on.</param>
/// <param name="Modified">When it was last modified, as the server writes it.</param>
/// <param name="Total">Its size.</param>
/// <param name="Sha256">Its SHA-256, where the server says it.</param>
internal sealed record PartialState(string Address, string? ETag, string? Modified, long? Total, string? Sha256)
{
    /// <summary>Of nothing yet.</summary>
    public static PartialState None { get; } = new("", null, null, null, null);
}
