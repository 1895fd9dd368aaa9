using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Formatting;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.DotNet.Interactive.PackageManagement;
using Microsoft.DotNet.Interactive.Utility;

namespace ClipOod.Runner.Kernel;

/// <summary>
/// Runs the text of cells in kernels that keep their state from cell to cell. All that this program knows of its engine stands in this
/// file: the engine's vendor has ended it, so another may have to take its place.
/// </summary>
internal interface ICellEngine : IDisposable
{
    /// <summary>The directives that a kernel obeys, such as <c>#!who</c>, sorted.</summary>
    /// <param name="kernel">Name of the kernel.</param>
    public IReadOnlyCollection<string> DirectivesOf(string kernel);

    /// <summary>Gets the compiler going, so that the time that this takes is not counted as that of the first cell.</summary>
    public Task StartAsync();

    /// <summary>Runs text and returns when it has ended; what it shows goes to <see cref="CellOutputs"/>.</summary>
    /// <param name="kernel">Name of the kernel.</param>
    /// <param name="text">Code, or one directive.</param>
    /// <param name="name">What stack traces call the text.</param>
    /// <param name="cancellation">Ends the wait at once; the text runs on if it does not ask for the cancellation.</param>
    /// <exception cref="CompilationErrorException">The code does not compile.</exception>
    /// <exception cref="EngineException">The engine refused the text.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <remarks>What the code throws is thrown as it is.</remarks>
    public Task RunAsync(string kernel, string text, string name, CancellationToken cancellation);

    /// <summary>Restores a NuGet package and lets C# code use it.</summary>
    /// <param name="id">Id of the package.</param>
    /// <param name="version">The version wanted.</param>
    /// <param name="cancellation">As in <see cref="RunAsync"/>.</param>
    /// <returns>The version that was restored, and its assemblies; null where the package was restored before.</returns>
    /// <exception cref="EngineException">The package cannot be restored.</exception>
    public Task<(string Version, IReadOnlyList<string> Assemblies)?> RestoreAsync(string id, string version, CancellationToken cancellation);
}

/// <summary>What an engine says that is no exception of the code.</summary>
internal sealed class EngineException(string message) : Exception(message);

/// <summary>The engine of .NET Interactive.</summary>
internal sealed class InteractiveEngine : ICellEngine
{
    // The kernel compiles for debugging and without the names and lines that stack traces need; it has no setting for these.
    private static readonly FieldInfo _optionsField =
        typeof(CSharpKernel).GetField("_scriptOptions", BindingFlags.Instance | BindingFlags.NonPublic)
        ?? throw new MissingFieldException(nameof(CSharpKernel), "_scriptOptions");

    private static readonly Lock _swappingConsole = new();

    private readonly CSharpKernel _csharp;
    private readonly CompositeKernel _root = new();
    private readonly CellOutputs _outputs;
    private readonly Dictionary<string, string> _displayIds = new(StringComparer.Ordinal);

    public InteractiveEngine(CellOutputs outputs)
    {
        _outputs = outputs;
        LeaveEditorsOut();
        _csharp = new CSharpKernel();
        _root.Add(
            _csharp.UseNugetDirective((kernel, packages) =>
            {
                kernel.AddAssemblyReferences(packages.SelectMany(package => package.AssemblyPaths));
                return Task.CompletedTask;
            }).UseWho().UseValueSharing(),
            ["c#", "C#"]);
        _root.Add(new HtmlKernel());
        _root.Add(new JavaScriptKernel().UseValueSharing(), ["js"]);
        _root.Add(new MermaidKernel());
        _root.Add(new KeyValueStoreKernel().UseWho());
        _root.DefaultKernelName = _csharp.Name;
        _root.RegisterForDisposal(_root.KernelEvents.Subscribe(new Listener(Show)));
        _root.RegisterForDisposal(LeaveConsoleAlone());
        Options = Options
            .WithAllowUnsafe(true)
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(Encoding.UTF8)
            .AddReferences(typeof(DisplayFunctions).Assembly)
            .AddImports(
                "Microsoft.DotNet.Interactive",
                "Microsoft.DotNet.Interactive.DisplayFunctions",
                "Microsoft.DotNet.Interactive.Kernel",
                "Microsoft.DotNet.Interactive.Formatting",
                "Microsoft.DotNet.Interactive.Formatting.PocketViewTags");
    }

    private ScriptOptions Options
    {
        get => (ScriptOptions)_optionsField.GetValue(_csharp)!;
        set => _optionsField.SetValue(_csharp, value);
    }

    public IReadOnlyCollection<string> DirectivesOf(string kernel) =>
        [.. _root.FindKernelByName(kernel).KernelInfo.SupportedDirectives.Where(directive => !directive.Hidden).Select(directive => directive.Name).Order(StringComparer.Ordinal)];

    public async Task StartAsync()
    {
        await RunAsync(_csharp.Name, "", "start", CancellationToken.None);
        // Later submissions inherit the references and imports of the first.
        Options = Options.WithReferences(Array.Empty<MetadataReference>()).WithImports();
    }

    public async Task RunAsync(string kernel, string text, string name, CancellationToken cancellation)
    {
        Options = Options.WithFilePath(name);
        // Prose is nobody's code: no line of it is a directive.
        await SendAsync(kernel == "markdown" ? new DisplayValue(new FormattedValue("text/markdown", text)) : new SubmitCode(text, kernel), cancellation);
    }

    public async Task<(string Version, IReadOnlyList<string> Assemblies)?> RestoreAsync(string id, string version, CancellationToken cancellation)
    {
        KernelCommandResult result = await SendAsync(new SubmitCode($"#r \"nuget: {id}, {version}\"", _csharp.Name), cancellation);
        return result.Events.OfType<PackageAdded>().Select(added => added.PackageReference)
            .FirstOrDefault(package => package.PackageName.Equals(id, StringComparison.OrdinalIgnoreCase)) is { } package
            ? (package.PackageVersion, package.AssemblyPaths)
            : null;
    }

    public void Dispose() => _root.Dispose();

    private async Task<KernelCommandResult> SendAsync(KernelCommand command, CancellationToken cancellation)
    {
        // On another thread, since code that never awaits would keep this one from ending the wait.
        KernelCommandResult result = await Task.Run(() => _root.SendAsync(command, cancellation), cancellation).WaitAsync(cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (result.Events.OfType<CommandFailed>().FirstOrDefault() is CommandFailed failed)
        {
            Throw(failed);
        }

        // A command within the command, such as the question for a value that does not exist, fails without failing it.
        return result.Events.OfType<ErrorProduced>().FirstOrDefault() is ErrorProduced error
            ? throw new EngineException(error.Message)
            : result;
    }

    private static void Throw(CommandFailed failed)
    {
        Exception? exception = failed.Exception is CodeSubmissionCompilationErrorException { InnerException: CompilationErrorException compilation }
            ? compilation
            : failed.Exception;
        if (exception is null)
        {
            throw new EngineException(failed.Message);
        }

        ExceptionDispatchInfo.Throw(exception);
    }

    private void Show(KernelEvent message)
    {
        if (message is DisplayedValueProduced or DisplayedValueUpdated or ReturnValueProduced
            // The value of a trailing x.Display() is the handle of an output that is there already.
            && message is not ReturnValueProduced { Value: DisplayedValue })
        {
            var display = (DisplayEvent)message;
            string id = display.ValueId is string engineId && _displayIds.TryGetValue(engineId, out string? known) ? known : _outputs.NextDisplayId();
            if (display.ValueId is not null)
            {
                _displayIds[display.ValueId] = id;
            }

            var mime = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (FormattedValue value in display.FormattedValues)
            {
                mime[value.MimeType] = value.Value;
            }

            // For readers that show nothing else, as the display functions do.
            if (display is ReturnValueProduced { Value: not (FormattedValue or IEnumerable<FormattedValue>) })
            {
                mime.TryAdd(PlainTextFormatter.MimeType, display.Value.ToDisplayString(PlainTextFormatter.MimeType));
            }

            if (display.Value is ScriptContent script)
            {
                mime["application/javascript"] = script.ScriptValue;
            }

            _outputs.Send(new ValueDisplayed(id, mime, message is ReturnValueProduced, message is DisplayedValueUpdated));
        }
    }

    // The kernel keeps a workspace for completion and hovers, which nobody asks here. Half of a second goes to the services that all
    // assemblies of the compiler's editor offer, unless the workspace finds a host with the two that it cannot do without.
    private static void LeaveEditorsOut() => typeof(MefHostServices).GetProperty(nameof(MefHostServices.DefaultHost))!
        .SetValue(null, MefHostServices.Create([typeof(Workspace).Assembly, typeof(CSharpFormattingOptions).Assembly]));

    // For the time of each command the engine puts writers of its own in place of the console's, and loses what a thread writes after its
    // cell. While somebody listens to them it leaves the console alone.
    private static IDisposable LeaveConsoleAlone()
    {
        lock (_swappingConsole)
        {
            (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
            IDisposable subscription = ConsoleOutput.Subscribe(_ => new Nothing());
            Console.SetOut(output);
            Console.SetError(error);
            return subscription;
        }
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }

    private sealed class Listener(Action<KernelEvent> next) : IObserver<KernelEvent>
    {
        public void OnNext(KernelEvent value) => next(value);

        public void OnError(Exception error)
        {
        }

        public void OnCompleted()
        {
        }
    }

    /// <summary>Hands diagrams on as text, which readers that can draw them without a network do.</summary>
    private sealed class MermaidKernel() : Microsoft.DotNet.Interactive.Kernel("mermaid"), IKernelCommandHandler<SubmitCode>
    {
        public Task HandleAsync(SubmitCode command, KernelInvocationContext context)
        {
            context.Publish(new DisplayedValueProduced(command.Code, command, [new("text/vnd.mermaid", command.Code), new("text/plain", command.Code)]));
            return Task.CompletedTask;
        }
    }
}
