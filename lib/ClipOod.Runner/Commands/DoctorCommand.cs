using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using ClipOod.Runner.Execution;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood doctor</c>: whether everything is there that the notebooks need, and what to do where it is not.</summary>
internal sealed class DoctorCommand : Command
{
    private const int WantedSdk = 10;

    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(60);

    public DoctorCommand()
        : base("doctor", "See whether everything that is needed is there, and what to do where it is not")
    {
        SetAction(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        WorkbookFolders folders = WorkbookFolders.Find();
        (string What, Func<Task<string>> Check)[] checks =
        [
            (".NET SDK", () => CheckSdkAsync(folders.Root)),
            ("notebooks", () => Task.FromResult($"{NotebookFile.Find(folders.Notebooks).Count} in {folders.Notebooks}")),
            ("library", () => Task.FromResult(CheckLibrary(folders.Library))),
            ("native libraries", () => Task.FromResult(CheckNatives(folders.Library))),
            ("execution providers", () => Task.FromResult(string.Join(", ", OrtEnv.Instance().GetAvailableProviders()))),
            ("world", () => Task.FromResult(CurrentWorld.Require().Name)),
        ];

        bool healthy = true;
        foreach ((string what, Func<Task<string>> check) in checks)
        {
            cancellation.ThrowIfCancellationRequested();
            string line;
            try
            {
                line = $"[OK]   {what}: {await check()}";
            }
            catch (Exception e)
            {
                // Whatever a check stumbles over is what a user of doctor wants to know.
                healthy = false;
                line = $"[FAIL] {what}: {(e is TypeInitializationException or TargetInvocationException ? e.InnerException! : e).Message}";
            }

            await parse.InvocationConfiguration.Output.WriteLineAsync(line);
        }

        await parse.InvocationConfiguration.Output.WriteLineAsync($"[NOTE] security advisories: {await AdvisoriesAsync(folders.Root)}");
        return healthy ? ExitCodes.Passed : ExitCodes.BadInput;
    }

    private static async Task<string> CheckSdkAsync(string root)
    {
        (int? code, string version) = await DotnetHost.RunAsync(["--version"], root, _longest);
        return code == 0 && int.TryParse(version.Split('.')[0], out int major) && major >= WantedSdk
            ? $"{version}, runtime {Environment.Version}"
            : throw new CommandException($"found '{version}' at {DotnetHost.Path}, want {WantedSdk} or later. Install the .NET SDK {WantedSdk}.");
    }

    // A note and no failure: an advisory published today breaks nothing that ran yesterday. CI fails for it.
    private static async Task<string> AdvisoriesAsync(string root)
    {
        (int? code, string report) = await DotnetHost.RunAsync(
            ["list", Path.Combine("lib", "ClipOod.Runner"), "package", "--vulnerable", "--include-transitive", "--format", "json"], root, _longest);
        if (code != 0)
        {
            return "not asked: the package source did not answer. Ask again with a network";
        }

        using JsonDocument document = JsonDocument.Parse(report);
        string[] found =
        [
            .. from project in document.RootElement.GetProperty("projects").EnumerateArray()
               from framework in Items(project, "frameworks")
               from package in Items(framework, "topLevelPackages").Concat(Items(framework, "transitivePackages"))
               from advisory in Items(package, "vulnerabilities")
               select $"{package.GetProperty("id")} {package.GetProperty("resolvedVersion")}, {advisory.GetProperty("severity")}: {advisory.GetProperty("advisoryurl")}",
        ];
        return found.Length == 0 ? "none is known for the packages used" : string.Join("; ", found) + ". A newer release of this repository may have newer packages";

        static IEnumerable<JsonElement> Items(JsonElement element, string name) =>
            element.TryGetProperty(name, out JsonElement items) ? items.EnumerateArray() : [];
    }

    private static string CheckLibrary(string folder)
    {
        string path = Path.Combine(folder, "ClipOod.Notebook.dll");
        return File.Exists(path)
            ? path
            : throw new CommandException($"there is no {path}. Run: dotnet build -c Release");
    }

    // The files that the notebooks load, not the copies beside this program.
    private static string CheckNatives(string folder)
    {
        string[] files = OperatingSystem.IsWindows() ? ["onnxruntime.dll", "libSkiaSharp.dll"]
            : OperatingSystem.IsMacOS() ? ["libonnxruntime.dylib", "libSkiaSharp.dylib"]
            : ["libonnxruntime.so", "libSkiaSharp.so"];
        foreach (string path in files.Select(file => Path.Combine(folder, file)))
        {
            if (!File.Exists(path))
            {
                throw new CommandException($"there is no {path}. Run: dotnet build -c Release");
            }

            NativeLibrary.Load(path);
        }

        return $"{string.Join(", ", files)}, ONNX Runtime {OrtEnv.Instance().GetVersionString()}";
    }
}
