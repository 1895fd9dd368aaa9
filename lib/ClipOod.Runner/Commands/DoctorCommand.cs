using System.CommandLine;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using ClipOod.Runner.Execution;
using Microsoft.ML.OnnxRuntime;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood doctor</c>: whether everything is there that the notebooks need, and what to do where it is not.</summary>
internal sealed class DoctorCommand : Command
{
    private const int WantedSdk = 10;

    public DoctorCommand()
        : base("doctor", "See whether everything that is needed is there, and what to do where it is not")
    {
        SetAction(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        WorkbookFolders folders = WorkbookFolders.Around(Environment.CurrentDirectory);
        (string What, Func<string> Check)[] checks =
        [
            (".NET SDK", CheckSdk),
            ("notebooks", () => $"{NotebookFile.Find(folders.Notebooks).Count} in {folders.Notebooks}"),
            ("library", () => CheckLibrary(folders.Library)),
            ("native libraries", () => CheckNatives(folders.Library)),
            ("execution providers", () => string.Join(", ", OrtEnv.Instance().GetAvailableProviders())),
            ("world", () => CurrentWorld.Require().Name),
        ];

        bool healthy = true;
        foreach ((string what, Func<string> check) in checks)
        {
            cancellation.ThrowIfCancellationRequested();
            string line;
            try
            {
                line = $"[OK]   {what}: {check()}";
            }
            catch (Exception e)
            {
                // Whatever a check stumbles over is what a user of doctor wants to know.
                healthy = false;
                line = $"[FAIL] {what}: {(e is TypeInitializationException or TargetInvocationException ? e.InnerException! : e).Message}";
            }

            await parse.InvocationConfiguration.Output.WriteLineAsync(line);
        }

        return healthy ? ExitCodes.Passed : ExitCodes.BadInput;
    }

    private static string CheckSdk()
    {
        var start = new ProcessStartInfo(DotnetHost.Path, "--version") { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string version = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 && int.TryParse(version.Split('.')[0], out int major) && major >= WantedSdk
            ? $"{version}, runtime {Environment.Version}"
            : throw new CommandException($"found '{version}' at {DotnetHost.Path}, want {WantedSdk} or later. Install the .NET SDK {WantedSdk}.");
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
