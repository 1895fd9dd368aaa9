using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace ClipOod.Runner.Downloading;

/// <summary>
/// Fetches files: from the hub's cache on this machine where they are there, else by HTTP, resumed where an earlier try broke off, verified
/// while they come, and tried again where that may help.
/// </summary>
/// <param name="hub">The hub, its token and its cache.</param>
/// <param name="agent">What the program calls itself.</param>
internal sealed class Downloader(Hub hub, string agent) : IDisposable
{
    private const int Tries = 5;
    private const int MaxRedirects = 10;
    private const int MaxResumes = 1000;

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(15),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>How long the first wait between two tries is; each further one is twice as long.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time to wait where a server says how long; a longer one is told to the user.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The longest time without an answer or a byte.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Fetches a file to its place.</summary>
    /// <param name="request">The file.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellation">Stops; what came so far is kept.</param>
    /// <exception cref="DownloadException">It cannot be fetched, or is another file.</exception>
    public async Task<FileReceipt> FetchAsync(FileRequest request, FileProgress progress, CancellationToken cancellation)
    {
        progress.Total = request.Bytes;
        List<DownloadException> errors = [];
        foreach (string address in request.Addresses)
        {
            try
            {
                HubAddress? onHub = HubAddress.Parse(address);
                if (onHub is not null && await FromCacheAsync(request, onHub, progress, cancellation) is FileReceipt cached)
                {
                    return cached;
                }

                return hub.IsOffline
                    ? throw new DownloadException("HF_HUB_OFFLINE is set, so nothing is asked for on the network.", isUnreachable: true)
                    : await FromNetworkAsync(request, address, onHub, progress, cancellation);
            }
            catch (DownloadException e) when (!e.IsSettled)
            {
                errors.Add(e);
            }
        }

        throw errors is [var only]
            ? only
            : new DownloadException(string.Join('\n', errors.Select(error => error.Message)), isUnreachable: errors.Count > 0 && errors.All(error => error.IsUnreachable));
    }

    /// <summary>Takes a file that is on this machine: verified, then copied to its place. The original stays.</summary>
    /// <param name="request">The file.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="DownloadException">It is another file.</exception>
    public static async Task<FileReceipt> CopyAsync(FileRequest request, string path, FileProgress progress, CancellationToken cancellation)
    {
        await using FileStream source = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        progress.Total = source.Length;
        if (request.Bytes is long bytes && bytes != source.Length && !request.AcceptNew)
        {
            throw new DownloadException(string.Create(
                CultureInfo.InvariantCulture,
                $"{request.Name}: {path} has {source.Length} bytes, expected {bytes}. {(source.Length < bytes ? "Its download broke off: get it again." : "It is another file.")} To take it all the same, give --accept-new-hash."));
        }

        await using PartialFile partial = await PartialFile.OpenAsync(request, progress, cancellation);
        partial.Restart(PartialState.None with { Address = path, Total = source.Length });
        await partial.AppendAsync(source, TimeSpan.MaxValue, source.Length, cancellation);
        try
        {
            return partial.Complete(path);
        }
        catch (DownloadException)
        {
            // The original is still there.
            partial.Discard();
            throw;
        }
    }

    /// <summary>Reads a file that is at its place already.</summary>
    /// <param name="request">The file.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>What it is, and what is different about it; null where nothing is.</returns>
    public static async Task<(FileReceipt Receipt, string? Difference)> VerifyAsync(FileRequest request, FileProgress progress, CancellationToken cancellation)
    {
        using IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using IncrementalHash md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        await using FileStream file = new(request.Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        progress.Total = file.Length;
        byte[] block = new byte[1 << 20];
        for (int count; (count = await file.ReadAsync(block, cancellation)) > 0; progress.Done += count)
        {
            sha256.AppendData(block, 0, count);
            if (request.Sha256 is null)
            {
                md5.AppendData(block, 0, count);
            }
        }

        string hash = Convert.ToHexStringLower(sha256.GetCurrentHash());
        string? difference = request.DifferenceOf(file.Length, hash, Convert.ToHexStringLower(md5.GetCurrentHash()));
        return (new FileReceipt(file.Length, hash, request.Path, difference is null && request.HasHash), difference);
    }

    public void Dispose() => _http.Dispose();

    private async Task<FileReceipt?> FromCacheAsync(FileRequest request, HubAddress address, FileProgress progress, CancellationToken cancellation)
    {
        if (File.Exists(PartialFile.PathOf(request.Path)) || hub.FindInCache(address, request.Sha256) is not string file)
        {
            return null;
        }

        try
        {
            return await CopyAsync(request, file, progress, cancellation);
        }
        catch (Exception e) when (e is DownloadException or IOException or UnauthorizedAccessException)
        {
            // A damaged copy of somebody else is no reason not to fetch a whole one.
            return null;
        }
    }

    private async Task<FileReceipt> FromNetworkAsync(FileRequest request, string address, HubAddress? onHub, FileProgress progress, CancellationToken cancellation)
    {
        Uri start = onHub?.At(hub.Endpoint) ?? new Uri(address);
        await using PartialFile partial = await PartialFile.OpenAsync(request, progress, cancellation);
        bool isResumed = partial.Length > 0;
        for (int fruitless = 0, resumes = 0; ; resumes++)
        {
            long before = partial.Length;
            string problem;
            TimeSpan? asked = null;
            try
            {
                if (!(partial.Length > 0 && partial.State.Address == address && partial.State.Total == partial.Length))
                {
                    await ReceiveAsync(request, address, start, onHub, partial, progress, cancellation);
                }

                try
                {
                    return partial.Complete(start.AbsoluteUri);
                }
                catch (DownloadException) when (isResumed)
                {
                    // Two versions may have been joined: once more, from the beginning.
                    isResumed = false;
                    partial.Restart(PartialState.None);
                    continue;
                }
            }
            catch (RetryException e)
            {
                (problem, asked) = (e.Message, e.After);
            }
            catch (HttpRequestException e)
            {
                problem = Reason(e);
                if (partial.Length == 0 && resumes == 0 && IsUnreachable(e))
                {
                    throw new DownloadException($"{start.Authority} cannot be reached: {problem}.", isUnreachable: true);
                }
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException) && !IsDiskFull(e))
            {
                problem = e.InnerException is SocketException inner ? inner.Message : e.Message;
            }

            fruitless = partial.Length > before ? 0 : fruitless + 1;
            if (fruitless >= Tries || resumes >= MaxResumes)
            {
                throw new DownloadException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{request.Name}: {start.AbsoluteUri} gave up {partial.Length} of {Size(partial.State.Total ?? request.Bytes)} bytes: {problem}, after {fruitless} tries in a row. What came is kept: run the command again later, and it goes on from there."));
            }

            TimeSpan wait = asked ?? (fruitless == 0 ? TimeSpan.Zero : FirstWait * (1 << (fruitless - 1)));
            if (wait > LongestWait)
            {
                throw new DownloadException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{request.Name}: {start.Authority} asks to wait for {wait.TotalMinutes:0} minutes: {problem}. What came is kept: run the command again then{(onHub is not null && hub.Token is null ? $", or set {Hub.TokenVariable}, with which the hub allows more" : "")}."));
            }

            progress.Waits = string.Create(CultureInfo.InvariantCulture, $"{problem}; waits {wait.TotalSeconds:0.#} s");
            await Task.Delay(wait, cancellation);
            progress.Waits = null;
        }
    }

    private async Task ReceiveAsync(
        FileRequest request, string address, Uri start, HubAddress? onHub, PartialFile partial, FileProgress progress, CancellationToken cancellation)
    {
        PartialState known = partial.State;
        // A version that the server cannot name is only gone on with where the hash will tell.
        bool goesOn = partial.Length > 0 && known.Address == address && (known.ETag is not null || known.Modified is not null || request.HasHash);
        Uri at = start;
        string? linked = null;
        for (int redirects = 0; ; redirects++)
        {
            using HttpRequestMessage message = new(HttpMethod.Get, at);
            message.Headers.UserAgent.ParseAdd(agent);
            message.Headers.AcceptEncoding.ParseAdd("identity");
            if (onHub is not null && hub.TokenFor(at) is string token)
            {
                message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            if (goesOn)
            {
                message.Headers.Range = new RangeHeaderValue(partial.Length, null);
                if ((known.ETag ?? known.Modified) is string version)
                {
                    message.Headers.TryAddWithoutValidation("If-Range", version);
                }
            }

            using HttpResponseMessage response = await SendAsync(message, cancellation);
            linked ??= onHub is not null && at.Authority == hub.Endpoint.Authority ? LinkedHash(request, response, start) : null;

            if (response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
            {
                at = response.Headers.Location is Uri location && redirects < MaxRedirects && new Uri(at, location) is { Scheme: "http" or "https" } next
                    ? next
                    : throw new DownloadException($"{request.Name}: {start.AbsoluteUri} redirects {(redirects < MaxRedirects ? "to no address" : $"more than {MaxRedirects} times")}. Look there with a browser, and give the file with --from.");
                continue;
            }

            await TakeAsync(request, address, start, at, onHub, linked, response, partial, progress, goesOn, cancellation);
            return;
        }
    }

    private async Task TakeAsync(
        FileRequest request, string address, Uri start, Uri at, HubAddress? onHub, string? linked, HttpResponseMessage response, PartialFile partial, FileProgress progress, bool goesOn, CancellationToken cancellation)
    {
        string place = at == start ? start.AbsoluteUri : $"{start.AbsoluteUri} (redirected to {at.Host})";
        HttpContentHeaders headers = response.Content.Headers;
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && goesOn)
        {
            // The file is shorter now, or nothing is left: from the beginning.
            string problem = FormattableString.Invariant($"{at.Authority} has no byte {partial.Length}");
            partial.Restart(PartialState.None);
            throw new RetryException(problem, TimeSpan.Zero);
        }

        if (!response.IsSuccessStatusCode)
        {
            throw Refusal(request, place, onHub, response);
        }

        bool isRange = response.StatusCode == HttpStatusCode.PartialContent && headers.ContentRange?.From == partial.Length && goesOn;
        if (response.StatusCode != HttpStatusCode.OK && !isRange)
        {
            throw new DownloadException($"{request.Name}: {place} answered {(int)response.StatusCode} {response.ReasonPhrase} to a plain request, expected 200. Give a copy with --from.");
        }

        long? total = isRange ? headers.ContentRange!.Length ?? partial.State.Total : headers.ContentLength;
        RequireFile(request, place, response, total);
        progress.Total = total ?? request.Bytes;
        RequireSpace(request, (total ?? request.Bytes ?? 0) - (isRange ? partial.Length : 0));
        if (!isRange)
        {
            partial.Restart(new PartialState(
                address,
                response.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null,
                headers.LastModified?.ToString("R", CultureInfo.InvariantCulture),
                total,
                linked));
        }

        await using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
        if (!isRange)
        {
            await partial.AppendAsync(new MemoryStream(await ReadBeginAsync(request, place, body, cancellation)), Stall, total ?? long.MaxValue, cancellation);
        }

        await partial.AppendAsync(body, Stall, total ?? long.MaxValue, cancellation);
        if (total is long size && partial.Length < size)
        {
            throw new RetryException("the connection ended early", null);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Stall);
        try
        {
            return await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new RetryException(FormattableString.Invariant($"{message.RequestUri!.Authority} gave no answer for {Stall.TotalSeconds:0.#} s"), null);
        }
    }

    /// <summary>The hub says the SHA-256 of a large file before it redirects to it: a changed file is told before it is fetched.</summary>
    private static string? LinkedHash(FileRequest request, HttpResponseMessage response, Uri start)
    {
        if (!(response.Headers.TryGetValues("X-Linked-Etag", out IEnumerable<string>? values) && values.First().Trim('"') is { Length: 64 } hash))
        {
            return null;
        }

        return request.Sha256 is not string expected || hash.Equals(expected, StringComparison.OrdinalIgnoreCase) || request.AcceptNew
            ? hash
            : throw new DownloadException(
                $"{request.Name}: the hub says that the SHA-256 of {start.AbsoluteUri} is {hash}, expected {expected} as published. Its owner has changed the file. "
                + "To take the new one, run the command again with --accept-new-hash.",
                isSettled: true);
    }

    private static void RequireFile(FileRequest request, string place, HttpResponseMessage response, long? total)
    {
        if (response.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml" && !request.Path.EndsWith(".html", StringComparison.OrdinalIgnoreCase))
        {
            throw Page(request, place);
        }

        if (response.Content.Headers.ContentEncoding.FirstOrDefault(encoding => encoding != "identity") is string packed)
        {
            throw new DownloadException($"{request.Name}: {place} sent the file packed as {packed}, expected it as it is. Give a copy with --from.");
        }

        if (total is long size && request.Bytes is long bytes && size != bytes && !request.AcceptNew)
        {
            throw new DownloadException(
                string.Create(CultureInfo.InvariantCulture, $"{request.Name}: {place} has {size} bytes, expected {bytes} as published. Either the publisher has changed the file, or this is another one: look there with a browser. To take it all the same, run the command again with --accept-new-hash."));
        }
    }

    /// <summary>Looks at the first bytes: a server may call a page of its own a file, and a repository may hold a pointer in place of a file.</summary>
    private async Task<byte[]> ReadBeginAsync(FileRequest request, string place, Stream body, CancellationToken cancellation)
    {
        byte[] begin = new byte[64];
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Stall);
        int count;
        try
        {
            count = await body.ReadAtLeastAsync(begin, begin.Length, throwOnEndOfStream: false, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new RetryException(FormattableString.Invariant($"nothing came for {Stall.TotalSeconds:0.#} s"), null);
        }

        string text = Encoding.Latin1.GetString(begin, 0, count).TrimStart();
        return text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            ? throw Page(request, place)
            : text.StartsWith("version https://git-lfs", StringComparison.Ordinal)
            ? throw new DownloadException($"{request.Name}: {place} holds a pointer of Git LFS in place of the file. Give a copy with --from.")
            : begin[..count];
    }

    private static DownloadException Page(FileRequest request, string place) => new(
        $"{request.Name}: {place} answered with a web page, expected a file. The page may ask for a consent or say that the file has moved: open it in a browser, download the file, and give it with --from.");

    private Exception Refusal(FileRequest request, string place, HubAddress? onHub, HttpResponseMessage response)
    {
        int status = (int)response.StatusCode;
        if (status is 408 or 425 or 429 or >= 500)
        {
            return new RetryException($"{response.RequestMessage!.RequestUri!.Authority} answered {status} {response.ReasonPhrase}", RetryAfter(response));
        }

        string code = response.Headers.TryGetValues("X-Error-Code", out IEnumerable<string>? codes) ? codes.First() : "";
        string said = response.Headers.TryGetValues("X-Error-Message", out IEnumerable<string>? messages) ? $" ({messages.First()})" : "";
        string page = onHub?.PageAt(hub.Endpoint) ?? "";
        string todo = (onHub, status, code) switch
        {
            (not null, 401 or 403, "GatedRepo") => hub.Token is null
                ? $"Its owner asks for a consent: open {page} in a browser, sign in and accept, make a token at {hub.Endpoint.AbsoluteUri}settings/tokens, and set {Hub.TokenVariable} to it."
                : $"Its owner asks for a consent that this token's account has not given: open {page} in a browser, sign in and accept.",
            (not null, 401 or 403, _) => hub.Token is null
                ? $"The repository is gone, private or asks for a consent: look at {page}; where an account may read it, set {Hub.TokenVariable} to its token."
                : $"The token was refused: look whether {Hub.TokenVariable} is right and whether its account may read {page}.",
            (not null, 404, _) => $"The hub knows no such {(code == "RevisionNotFound" ? "revision" : code == "RepoNotFound" ? "repository" : "file")}: look at {page}, and give the file with --from.",
            (_, 404 or 410, _) => "The file has moved or is gone: look at its publisher's page, and give the file with --from.",
            (_, 401 or 403, _) => "The server asks for a registration or refuses programs: download it with a browser, and give the file with --from.",
            _ => "Look there with a browser, and give the file with --from.",
        };
        return new DownloadException($"{request.Name}: {place} answered {status} {response.ReasonPhrase}{said}, expected the file. {todo}");
    }

    /// <summary>How long the server asks to wait: in Retry-After, or as the hub writes it, in RateLimit.</summary>
    private static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.RetryAfter is { } after)
        {
            TimeSpan wait = after.Delta ?? (after.Date - TimeProvider.System.GetUtcNow()) ?? TimeSpan.Zero;
            return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }

        return response.Headers.TryGetValues("RateLimit", out IEnumerable<string>? limits)
            && limits.First().Split(';').FirstOrDefault(part => part.StartsWith("t=", StringComparison.Ordinal)) is string left
            && int.TryParse(left.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    private static void RequireSpace(FileRequest request, long bytes)
    {
        long free = FreeSpace.At(request.Path);
        if (bytes > free)
        {
            throw new DownloadException(
                FormattableString.Invariant($"{request.Name}: needs {bytes} bytes more, and {Path.GetDirectoryName(request.Path)} has {free} left. Make room, or choose another folder."), isSettled: true);
        }
    }

    private static string Reason(HttpRequestException e) => e.HttpRequestError == HttpRequestError.NameResolutionError
        ? "its name is not known (no network?)"
        : (e.InnerException?.Message ?? e.Message).TrimEnd('.');

    private static bool IsUnreachable(HttpRequestException e) =>
        e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError or HttpRequestError.SecureConnectionError;

    // The codes of Windows (ERROR_DISK_FULL) and of Linux and macOS (ENOSPC).
    private static bool IsDiskFull(IOException e) => e.HResult is unchecked((int)0x80070070) or 28;

    private static string Size(long? bytes) => bytes is long known ? known.ToString(CultureInfo.InvariantCulture) : "an unknown number of";

    /// <summary>Something that may be well at the next try.</summary>
    private sealed class RetryException(string message, TimeSpan? after) : Exception(message)
    {
        public TimeSpan? After => after;
    }
}
