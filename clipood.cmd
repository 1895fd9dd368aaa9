@echo off
rem The command clipood on Windows, from any folder: builds the program where it has changed, and runs it with what is given here.
rem The environment variable OnnxRuntimeFlavor=Gpu builds for CUDA (environment.md).
setlocal
where dotnet >nul 2>nul
if errorlevel 1 (
  echo clipood needs the .NET SDK 10, and there is no 'dotnet' on the path. Install it; environment.md says which. 1>&2
  exit /b 2
)

rem In the root, because the SDK is chosen by the global.json around the folder where dotnet starts.
pushd "%~dp0" || exit /b 2
dotnet build lib\ClipOod.Runner -c Release -v q -nologo -clp:ErrorsOnly >"%TEMP%\clipood-build.log" 2>&1
if errorlevel 1 (
  type "%TEMP%\clipood-build.log" 1>&2
  popd
  exit /b 2
)

popd
dotnet "%~dp0lib\ClipOod.Runner\bin\Release\net10.0\clipood.dll" %*
exit /b %errorlevel%
