using System.Diagnostics;
using System.Text;
using ClipOod.Runner.Commands;
using ClipOod.Runner.Execution;
using static ClipOod.Runner.Tests.Commands.Invocation;

namespace ClipOod.Runner.Tests.Commands;

/// <summary>The commands fetch, list and verify against a hub on the loopback address, in processes of their own: the environment is the whole process's.</summary>
public sealed class FetchCommandTests : IDisposable
{
    // Its weights and configuration have no published hash, its vocabulary has one.
    private const string Model = "laion2b-vit-b-16";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AModelOnTheHub_IsFetchedOnce_ByTwoProcesses_AndVerified()
    {
        using HttpTestServer hub = new(request => request.Path.Contains("/laion/", StringComparison.Ordinal) || request.Path.Contains("/openai/", StringComparison.Ordinal)
            ? HttpTestAnswer.File(request, Encoding.UTF8.GetBytes($"the file {request.Path}")) with { Pause = TimeSpan.FromMilliseconds(500) }
            : HttpTestAnswer.Text(404, ""));

        (int Code, string Output, string Error)[] both = await Task.WhenAll(
            RunAsync(hub.Address, "fetch", Model, "--accept-new-hash"), RunAsync(hub.Address, "fetch", Model, "--accept-new-hash"));

        Assert.All(both, run => Assert.Equal((0, ""), (run.Code, run.Error)));
        Assert.Contains(both, run => run.Output.Contains("vocab.json is NOT the published file, and was taken as asked for", StringComparison.Ordinal));
        string weights = _folder.PathOf($"data/weights/{Model}/open_clip_model.safetensors");
        Assert.Equal($"the file /laion/CLIP-ViT-B-16-laion2B-s34B-b88K/resolve/7288da5a0d6f0b51c4a2b27c624837a9236d0112/open_clip_model.safetensors", File.ReadAllText(weights));
        Assert.Equal(4, hub.Requests.Count);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(weights)!, "*.part*"));

        var (code, output, _) = await RunAsync(hub.Address, "verify");
        Assert.Equal(0, code);
        Assert.Contains("4 files verified, 0 damaged or missing.", output, StringComparison.Ordinal);
        Assert.Contains($"{Model}/vocab.json: as it came, NOT as published", output, StringComparison.Ordinal);

        File.AppendAllText(weights, "!");
        var (damaged, _, error) = await RunAsync(hub.Address, "verify", Model);
        Assert.Equal(1, damaged);
        Assert.Contains($"{Model}/open_clip_model.safetensors is damaged", error, StringComparison.Ordinal);
        Assert.Contains($"Delete {weights} and run clipood fetch {Model}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutANetwork_TheFilesThatWouldDoAreNamed()
    {
        string address;
        using (HttpTestServer gone = new(_ => HttpTestAnswer.Text(200, "")))
        {
            address = gone.Address;
        }

        var (code, _, error) = await RunAsync(address, "fetch", "openai-vit-b-32");

        Assert.Equal(1, code);
        Assert.Contains("cannot be reached", error, StringComparison.Ordinal);
        Assert.Contains("open_clip_model.safetensors, 605 MB, SHA-256 e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31", error, StringComparison.Ordinal);
        Assert.Contains("Then run: clipood fetch openai-vit-b-32 --from FOLDER", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsGotByHand_IsTakenFromThere()
    {
        var (code, _, error) = await RunAsync("http://127.0.0.1:1", "fetch", "clipn-b16-repeat2");
        Assert.Equal(1, code);
        Assert.Contains("https://drive.google.com/drive/folders/", error, StringComparison.Ordinal);
        Assert.Contains("clipood fetch clipn-b16-repeat2 --from FILE-OR-FOLDER", error, StringComparison.Ordinal);

        string copy = _folder.Write("my-copy.pt", "weights");
        (code, string output, error) = await RunAsync("http://127.0.0.1:1", "fetch", "clipn-b16-repeat2", "--from", copy);

        Assert.Equal((0, ""), (code, error));
        Assert.Contains("has no published hash", output, StringComparison.Ordinal);
        Assert.Equal("weights", File.ReadAllText(_folder.PathOf("data/weights/clipn-b16-repeat2/CLIPN_ATD_Repeat2_epoch_10.pt")));
    }

    [Fact]
    public async Task PublishedFeatures_BecomeAWorld()
    {
        string? sources = Environment.GetEnvironmentVariable("CLIPOOD_FEATURE_SOURCES");
        Assert.SkipUnless(sources is not null, "CLIPOOD_FEATURE_SOURCES is unset: it names the folder of the published files (feature-sources).");
        using HttpTestServer mirror = new(request => Path.Combine(sources!, request.Path[1..]) is var file && File.Exists(file)
            ? HttpTestAnswer.File(request, File.ReadAllBytes(file))
            : HttpTestAnswer.Text(404, ""));

        var (code, output, error) = await RunAsync(mirror.Address, "fetch", "clip-features", "--from", mirror.Address);

        Assert.Equal(0, code);
        Assert.Contains("23 files", output, StringComparison.Ordinal);
        Assert.Contains("MIT", output, StringComparison.Ordinal);
        Assert.Contains("Made 16 feature sets", output, StringComparison.Ordinal);
        Assert.Contains("clip-features is of use without rosslea+caltech256-CV/data/ViT-B_32_train.pkl", error, StringComparison.Ordinal);
        Assert.All(ClipOod.Notebook.ClipFeatures.Files, file => Assert.True(File.Exists(_folder.PathOf($"data/features/clip-features/{file}")), file));
    }

    [Theory]
    [InlineData("fetch", "openai-vitb32", "There is nothing named 'openai-vitb32' to fetch. Near to it: openai-vit-b-32")]
    [InlineData("list", "cifar", "Near to it: cifar10")]
    [InlineData("verify", "x", "All names: clipood list")]
    public async Task AnUnknownName_IsAnsweredWithTheNearestOnes(string command, string name, string says)
    {
        var (code, _, error) = await InvokeAsync(command, name);

        Assert.Equal(2, code);
        Assert.Contains(says, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_ShowsWhatThereIs_AndAllOfOne()
    {
        var (code, output, _) = await InvokeAsync("list");
        Assert.Equal(0, code);
        Assert.All(ClipOod.Notebook.SourceCatalog.All, entry => Assert.Contains(entry.Name, output, StringComparison.Ordinal));

        (_, output, _) = await InvokeAsync("list", "cifar10");
        Assert.Contains("train 50,000, test 10,000", output, StringComparison.Ordinal);
        Assert.Contains("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", output, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string hub, params string[] arguments)
    {
        ProcessStartInfo start = new(DotnetHost.Path, ["exec", typeof(ClipOodCommand).Assembly.Location, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HF_ENDPOINT"] = hub;
        start.Environment["HF_HOME"] = _folder.PathOf("hub");
        start.Environment["CLIPOOD_DATA"] = _folder.PathOf("data");
        foreach (string name in new[] { "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE" })
        {
            start.Environment[name] = null;
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }
}
