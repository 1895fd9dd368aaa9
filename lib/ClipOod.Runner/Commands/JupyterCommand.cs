using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Commands;

/// <summary><c>clipood jupyter install</c>: tells Jupyter of the .NET Interactive that this repository pins.</summary>
internal sealed class JupyterCommand : Command
{
    private const string Tool = "microsoft.dotnet-interactive";

    // The name that .NET Interactive's own notebooks ask for.
    private const string KernelName = ".net-csharp";

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, NewLine = "\n" };

    private readonly Option<bool> _force = new("--force") { Description = $"Replace a kernel {KernelName} that something else installed" };

    public JupyterCommand()
        : base("jupyter", "Run the notebooks in Jupyter, with the .NET Interactive that this repository pins")
    {
        var install = new Command("install", $"Write the kernel {KernelName} into the user's Jupyter folder") { _force };
        install.SetAction(InstallAsync);
        Subcommands.Add(install);
    }

    private async Task<int> InstallAsync(ParseResult parse, CancellationToken cancellation)
    {
        WorkbookFolders folders = WorkbookFolders.Find();
        string path = Path.Combine(JupyterFolder(), "kernels", KernelName, "kernel.json");
        if (File.Exists(path) && !IsOurs(path) && !parse.GetValue(_force))
        {
            throw new CommandException(
                $"{path} is there already, and clipood did not write it. That kernel may run the notebooks as well; to replace it, give --force.");
        }

        string tool = await RestoredToolAsync(folders);
        var kernel = new JsonObject
        {
            // The tool's file and no `dotnet tool run`: that finds the tool in the repository only, and Jupyter starts kernels anywhere.
            ["argv"] = new JsonArray(DotnetHost.Path, tool, "jupyter", "--default-kernel", "csharp", "--http-local-only", "{connection_file}"),
            ["display_name"] = ".NET (C#)",
            ["language"] = "C#",
            ["metadata"] = new JsonObject { ["installed_by"] = "clipood" },
        };
        AtomicFile.Write(path, kernel.ToJsonString(_indented) + "\n");
        await parse.InvocationConfiguration.Output.WriteLineAsync($"Wrote {path}");
        return ExitCodes.Passed;
    }

    private static async Task<string> RestoredToolAsync(WorkbookFolders folders)
    {
        (int? code, string output) = await DotnetHost.RunAsync(["tool", "restore"], folders.Root, TimeSpan.FromMinutes(10));
        if (code != 0)
        {
            throw new CommandException($"dotnet tool restore did not get what {folders.Tools} names. The first time it needs a network.\n{output}");
        }

        (_, output) = await DotnetHost.RunAsync(["nuget", "locals", "global-packages", "--list", "--force-english-output"], folders.Root, TimeSpan.FromMinutes(1));
        string packages = output[(output.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim();
        string version = (string)JsonNode.Parse(File.ReadAllText(folders.Tools))!["tools"]![Tool]!["version"]!;
        string tools = Path.Combine(packages, Tool, version, "tools");
        return Directory.EnumerateFiles(tools, "Microsoft.DotNet.Interactive.App.dll", SearchOption.AllDirectories).Order(StringComparer.Ordinal).LastOrDefault()
            ?? throw new CommandException($"{tools} holds no Microsoft.DotNet.Interactive.App.dll. Delete {Path.GetDirectoryName(tools)} and try again.");
    }

    private static bool IsOurs(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path))?["metadata"]?["installed_by"]?.ToString() == "clipood";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    // Where Jupyter looks for what a user installs: `jupyter --data-dir`.
    private static string JupyterFolder()
    {
        if (Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } folder)
        {
            return Path.GetFullPath(folder);
        }

        if (OperatingSystem.IsWindows())
        {
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter");
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Jupyter")
            : Path.Combine(Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : Path.Combine(home, ".local", "share"), "jupyter");
    }
}
