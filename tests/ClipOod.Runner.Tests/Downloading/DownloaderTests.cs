using System.Security.Cryptography;
using ClipOod.Runner.Downloading;

namespace ClipOod.Runner.Tests.Downloading;

/// <summary>Downloads from a server on the loopback address that breaks, lies, stalls and redirects.</summary>
public sealed class DownloaderTests : IDisposable
{
    private static readonly byte[] _bytes = Bytes(3_000_000, seed: 1);
    private static readonly byte[] _other = Bytes(3_000_000, seed: 2);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Target => _folder.PathOf("weights.bin");

    private string Part => Target + ".part";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AFile_ComesWhole_UnderItsNameAlone()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _bytes));

        FileReceipt receipt = await FetchAsync(server, Request(server));

        Assert.Equal((_bytes.Length, Hash(_bytes), true), (receipt.Bytes, receipt.Sha256, receipt.IsAsExpected));
        AssertHere(_bytes);
        Assert.Equal("identity", server.Requests.Single().Header("Accept-Encoding"));
    }

    [Theory]
    [InlineData("\"one\"", "\"one\"")]
    [InlineData(null, null)]
    public async Task ABrokenConnection_IsGoneOnWith_WhereItBroke(string? tag, string? condition)
    {
        int cut = 1_234_567;
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _bytes, tag) with { CutAfter = request.Header("Range") is null ? cut : null });

        FileReceipt receipt = await FetchAsync(server, Request(server));

        Assert.True(receipt.IsAsExpected);
        AssertHere(_bytes);
        Assert.Equal([null, $"bytes={cut}-"], server.Requests.Select(request => request.Header("Range")));
        Assert.Equal(condition, server.Requests[1].Header("If-Range"));
    }

    [Fact]
    public async Task WithoutAHashAndAVersion_ABrokenConnection_BeginsAnew()
    {
        int answers = 0;
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _bytes, tag: null) with { CutAfter = answers++ == 0 ? 1000 : null });

        await FetchAsync(server, Request(server) with { Sha256 = null });

        AssertHere(_bytes);
        Assert.All(server.Requests, request => Assert.Null(request.Header("Range")));
    }

    [Fact]
    public async Task WhatOneProcessLeft_AnotherGoesOnWith()
    {
        using HttpTestServer first = new(request => HttpTestAnswer.File(request, _bytes) with { CutAfter = 2_000_000, Pause = TimeSpan.FromMinutes(1) });
        using HttpTestServer second = new(request => HttpTestAnswer.File(request, _bytes));
        using CancellationTokenSource end = new();
        using Downloader one = NewDownloader(first), other = NewDownloader(second);
        FileRequest wanted = Request(first) with { Addresses = ["hf://o/m@main/weights.bin"] };
        FileProgress progress = new();
        Task<FileReceipt> running = one.FetchAsync(wanted, progress, end.Token);
        while (progress.Done == 0)
        {
            await Task.Delay(10, Stop);
        }

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.False(File.Exists(Target));
        long kept = new FileInfo(Part).Length;

        await other.FetchAsync(wanted, new FileProgress(), Stop);

        AssertHere(_bytes);
        Assert.InRange(kept, 1, 2_000_000);
        Assert.Equal($"bytes={kept}-", second.Requests.Single().Header("Range"));
    }

    [Fact]
    public async Task AnotherVersion_IsFetchedWhole()
    {
        using HttpTestServer server = new(request =>
            HttpTestAnswer.File(request, request.Header("Range") is null && request.Header("If-Range") is null ? _bytes : _other, request.Header("Range") is null ? "\"one\"" : "\"two\"") with
            { CutAfter = request.Header("Range") is null ? 2_000_000 : null });

        await FetchAsync(server, Request(server) with { Sha256 = Hash(_other) });

        AssertHere(_other);
    }

    [Fact]
    public async Task TwoVersionsThatAServerJoined_AreToldByTheHash_AndFetchedAnew()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _bytes, tag: null));
        FileRequest wanted = Request(server);
        File.WriteAllBytes(Part, _other[..2_000_000]);
        File.WriteAllText(Part + ".json", $$"""{"Address":"{{wanted.Addresses[0]}}","Total":3000000}""");

        await FetchAsync(server, wanted);

        AssertHere(_bytes);
        Assert.Equal(["bytes=2000000-", null], server.Requests.Select(request => request.Header("Range")));
    }

    [Fact]
    public async Task AnotherHash_IsSaid_Kept_AndTakenWhenAskedFor()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _other));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server)));

        Assert.Contains($"its SHA-256 is {Hash(_other)}, expected {Hash(_bytes)} as published", error.Message, StringComparison.Ordinal);
        Assert.Contains("--accept-new-hash", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));

        FileReceipt receipt = await FetchAsync(server, Request(server) with { AcceptNew = true });

        Assert.False(receipt.IsAsExpected);
        AssertHere(_other);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task AnOlderVersion_IsToldApart()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _other));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Stale = [Hash(_other)] }));

        Assert.Contains("an older version of the file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnMd5_IsComparedWhereNoSha256IsKnown()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _other));
        FileRequest wanted = Request(server) with { Sha256 = null, Md5 = Md5(_bytes) };

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, wanted));

        Assert.Contains($"its MD5 is {Md5(_other)}, expected {wanted.Md5}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherSize_IsSaidBeforeTheFileIsFetched()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _other));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Bytes = 5 }));

        Assert.Contains("has 3000000 bytes, expected 5 as published", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, new FileInfo(Part).Length);
    }

    [Theory]
    [InlineData("text/html", "<p>Sign in</p>")]
    [InlineData("application/octet-stream", "\n<!DOCTYPE html><p>Sign in</p>")]
    public async Task AWebPage_IsNoFile(string type, string page)
    {
        using HttpTestServer server = new(_ => HttpTestAnswer.Text(200, page, ("Content-Type", type)));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Sha256 = null, Bytes = null }));

        Assert.Contains("answered with a web page, expected a file", error.Message, StringComparison.Ordinal);
        Assert.Contains("--from", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task APointerOfGitLfs_IsNoFile()
    {
        using HttpTestServer server = new(_ => HttpTestAnswer.Text(200, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Sha256 = null, Bytes = null }));

        Assert.Contains("a pointer of Git LFS", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "GatedRepo", "open {0}/o/m in a browser, sign in and accept")]
    [InlineData(403, "", "The repository is gone, private or asks for a consent")]
    [InlineData(404, "EntryNotFound", "The hub knows no such file: look at {0}/o/m")]
    [InlineData(404, "RevisionNotFound", "no such revision")]
    public async Task ARefusalOfTheHub_SaysWhatToDo(int status, string code, string says)
    {
        using HttpTestServer server = new(_ => HttpTestAnswer.Text(status, "", ("X-Error-Code", code), ("X-Error-Message", "because")));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Addresses = ["hf://o/m@main/weights.bin"] }));

        Assert.Contains($"answered {status}", error.Message, StringComparison.Ordinal);
        Assert.Contains("(because)", error.Message, StringComparison.Ordinal);
        Assert.Contains(says.Replace("{0}", server.Address, StringComparison.Ordinal), error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(403, "asks for a registration or refuses programs")]
    [InlineData(404, "has moved or is gone")]
    public async Task ARefusalOfAnotherHost_SaysWhatToDo(int status, string says)
    {
        using HttpTestServer server = new(_ => HttpTestAnswer.Text(status, ""));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server)));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains("--from", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Retry-After", "0")]
    [InlineData("RateLimit", "\"resolvers\";r=0;t=0")]
    public async Task AServerThatAsksToWait_IsAskedAgain(string header, string value)
    {
        int answers = 0;
        using HttpTestServer server = new(request => answers++ < 3 ? HttpTestAnswer.Text(429, "", (header, value)) : HttpTestAnswer.File(request, _bytes));

        await FetchAsync(server, Request(server));

        AssertHere(_bytes);
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public async Task AServerThatAsksToWaitForHours_IsNotWaitedFor()
    {
        using HttpTestServer server = new(_ => HttpTestAnswer.Text(429, "", ("Retry-After", "7200")));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server)));

        Assert.Contains("asks to wait for 120 minutes", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task AServerThatFailsAgainAndAgain_IsGivenUp_AndWhatCameIsKept()
    {
        using HttpTestServer server = new(request => request.Header("Range") is null ? HttpTestAnswer.File(request, _bytes) with { CutAfter = 500_000 } : HttpTestAnswer.Text(503, ""));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server)));

        Assert.Contains("gave up 500000 of 3000000 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("answered 503", error.Message, StringComparison.Ordinal);
        Assert.Equal(500_000, new FileInfo(Part).Length);
        Assert.Equal(6, server.Requests.Count);
    }

    [Fact]
    public async Task SilenceIsNoProgress()
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _bytes) with
        {
            CutAfter = request.Header("Range") is null ? 1_500_000 : null,
            Pause = request.Header("Range") is null ? TimeSpan.FromMinutes(1) : TimeSpan.Zero,
        });
        using Downloader downloader = new(HubOf(server), "tests/1") { FirstWait = TimeSpan.Zero, Stall = TimeSpan.FromSeconds(1) };

        await downloader.FetchAsync(Request(server), new FileProgress(), Stop);

        AssertHere(_bytes);
        Assert.Equal("bytes=1500000-", server.Requests[1].Header("Range"));
    }

    [Fact]
    public async Task TheToken_GoesToTheHubAlone()
    {
        string address = "";
        using HttpTestServer server = new(request => request.Path.StartsWith("/o/", StringComparison.Ordinal) ? HttpTestAnswer.Redirect("/again", ("X-Linked-Etag", $"\"{Hash(_bytes)}\""))
            : request.Path == "/again" ? HttpTestAnswer.Redirect($"{address}/elsewhere")
            : HttpTestAnswer.File(request, _bytes));
        address = server.OtherHost;
        using Downloader downloader = NewDownloader(server, "secret");

        await downloader.FetchAsync(Request(server) with { Addresses = ["hf://o/m@main/weights.bin"] }, new FileProgress(), Stop);
        AssertHere(_bytes);
        File.Delete(Target);
        await downloader.FetchAsync(Request(server), new FileProgress(), Stop);

        Assert.Equal(
            [("/o/m/resolve/main/weights.bin", "Bearer secret"), ("/again", "Bearer secret"), ("/elsewhere", null), ("/weights.bin", null)],
            server.Requests.Select(request => (request.Path, request.Header("Authorization"))));
    }

    [Fact]
    public void TheToken_IsNotSentInTheClear() =>
        Assert.Equal(
            ["secret", null, null],
            new[] { ("https://hub.example", "https://hub.example/x"), ("http://hub.example", "http://hub.example/x"), ("https://hub.example", "http://hub.example/x") }
                .Select(pair => new Hub(new Uri(pair.Item1), "secret", "").TokenFor(new Uri(pair.Item2))));

    [Fact]
    public async Task AChangedFileOnTheHub_IsSaidBeforeItIsFetched()
    {
        using HttpTestServer server = new(_ => HttpTestAnswer.Redirect("/elsewhere", ("X-Linked-Etag", $"\"{Hash(_other)}\"")));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Addresses = ["hf://o/m@main/weights.bin"] }));

        Assert.Contains($"is {Hash(_other)}, expected {Hash(_bytes)} as published", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task AFileWithoutAPublishedHash_IsComparedWithWhatTheHubSays()
    {
        using HttpTestServer server = new(request => request.Path == "/elsewhere" ? HttpTestAnswer.File(request, _other) : HttpTestAnswer.Redirect("/elsewhere", ("X-Linked-Etag", $"\"{Hash(_bytes)}\"")));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => FetchAsync(server, Request(server) with { Addresses = ["hf://o/m@main/weights.bin"], Sha256 = null }));

        Assert.Contains($"expected {Hash(_bytes)} as the server says", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMirror_StandsInForAnAddressThatFails()
    {
        using HttpTestServer server = new(request => request.Path == "/gone" ? HttpTestAnswer.Text(404, "") : HttpTestAnswer.File(request, _bytes));

        FileReceipt receipt = await FetchAsync(server, Request(server) with { Addresses = [$"{server.Address}/gone", $"{server.Address}/mirror"] });

        Assert.Equal($"{server.Address}/mirror", receipt.From);
        AssertHere(_bytes);
    }

    [Theory]
    [InlineData("blobs/{0}", true)]
    [InlineData("snapshots/abc/weights.bin", true)]
    [InlineData("snapshots/abc/weights.bin", false)]
    public async Task TheHubsCache_IsUsedInPlaceOfTheNetwork_UnlessItIsDamaged(string file, bool isWhole)
    {
        using HttpTestServer server = new(request => HttpTestAnswer.File(request, _bytes));
        string cached = _folder.PathOf($"cache/models--o--m/{file.Replace("{0}", Hash(_bytes), StringComparison.Ordinal)}");
        Directory.CreateDirectory(Path.GetDirectoryName(cached)!);
        File.WriteAllBytes(cached, isWhole ? _bytes : _bytes[..^1]);
        Directory.CreateDirectory(_folder.PathOf("cache/models--o--m/refs"));
        File.WriteAllText(_folder.PathOf("cache/models--o--m/refs/main"), "abc");

        FileReceipt receipt = await FetchAsync(server, Request(server) with { Addresses = ["hf://o/m@main/weights.bin"] });

        AssertHere(_bytes);
        Assert.Equal(isWhole ? cached : $"{server.Address}/o/m/resolve/main/weights.bin", receipt.From);
        Assert.Equal(isWhole ? 0 : 1, server.Requests.Count);
    }

    [Fact]
    public async Task WithoutANetwork_ItIsSaidAtOnce()
    {
        string address;
        using (HttpTestServer gone = new(_ => HttpTestAnswer.Text(200, "")))
        {
            address = gone.Address;
        }

        using Downloader downloader = new(new Hub(new Uri(address), null, ""), "tests/1") { FirstWait = TimeSpan.FromHours(1) };

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => downloader.FetchAsync(new FileRequest("m/w", Target, [$"{address}/w"]), new FileProgress(), Stop));

        Assert.True(error.IsUnreachable);
        Assert.Contains("cannot be reached", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACopy_IsVerified_AndItsOriginalStays()
    {
        string copy = _folder.Write("copy.bin", _bytes), broken = _folder.Write("broken.bin", _bytes[..^1]);
        FileRequest wanted = new("m/w", Target, [], _bytes.Length, Hash(_bytes));

        DownloadException error = await Assert.ThrowsAsync<DownloadException>(() => Downloader.CopyAsync(wanted, broken, new FileProgress(), Stop));
        await Downloader.CopyAsync(wanted, copy, new FileProgress(), Stop);

        DownloadException changed = await Assert.ThrowsAsync<DownloadException>(() => Downloader.CopyAsync(wanted with { Path = Target + "2" }, _folder.Write("changed.bin", _other), new FileProgress(), Stop));

        Assert.Contains($"its SHA-256 is {Hash(_other)}", changed.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path, "weights.bin2*"));
        Assert.Contains($"{broken} has 2999999 bytes, expected 3000000. Its download broke off", error.Message, StringComparison.Ordinal);
        AssertHere(_bytes);
        Assert.True(File.Exists(copy));
    }

    [Fact]
    public async Task OneProcessAtATime_HasALock()
    {
        bool waited = false;
        FileLock first = await FileLock.TakeAsync(_folder.PathOf("m.lock"), () => { }, Stop);
        Task<FileLock> second = FileLock.TakeAsync(_folder.PathOf("m.lock"), () => waited = true, Stop);
        Assert.False(second.IsCompleted);

        first.Dispose();
        (await second).Dispose();

        Assert.True(waited);
    }

    private async Task<FileReceipt> FetchAsync(HttpTestServer server, FileRequest request)
    {
        using Downloader downloader = NewDownloader(server);
        return await downloader.FetchAsync(request, new FileProgress(), Stop);
    }

    private Downloader NewDownloader(HttpTestServer server, string? token = null) => new(HubOf(server, token), "tests/1") { FirstWait = TimeSpan.Zero, LongestWait = TimeSpan.FromSeconds(5) };

    private Hub HubOf(HttpTestServer server, string? token = null) => new(new Uri(server.Address), token, _folder.PathOf("cache"));

    private FileRequest Request(HttpTestServer server) => new("m/weights.bin", Target, [$"{server.Address}/weights.bin"], _bytes.Length, Hash(_bytes));

    private void AssertHere(byte[] expected)
    {
        Assert.Equal(Hash(expected), Hash(File.ReadAllBytes(Target)));
        Assert.DoesNotContain(Directory.GetFiles(_folder.Path), file => file.StartsWith(Part, StringComparison.Ordinal));
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static string Md5(byte[] bytes)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static byte[] Bytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
